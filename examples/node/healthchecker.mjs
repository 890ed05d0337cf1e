// Keeps an app registered with HealthChecker (Node 18 or later, no packages). The same rules as in
// examples/python/healthchecker/_keeper.py.

// The first pause after a failure; it doubles, up to the last.
const RETRY_FIRST_MS = 5_000;
const RETRY_LAST_MS = 60_000;
// Between two looks whether the server still knows the app.
const LOOK_EVERY_MS = 60_000;
// What the server refused will be right only after somebody changed something there.
const REFUSED_MS = 300_000;
// How long a call may take in all.
const ANSWER_WITHIN_MS = 30_000;

const ROOT = '/healthchecker/';

// What the server refuses, with its HTTP status.
class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export class HealthCheckerServer {
  // `app` is the app's name, `url` where it is: ':8080' is that port of this machine. The server is named by
  // `server` or HEALTHCHECKER_SERVER; a token is taken from `token` or HEALTHCHECKER_API_TOKEN.
  constructor(app, url, { server, token } = {}) {
    this.app = app;
    this.url = url;
    this.base = plainAddress(server ?? process.env.HEALTHCHECKER_SERVER ?? '');
    this.token = plainToken(token ?? process.env.HEALTHCHECKER_API_TOKEN ?? '');
    this.known = false;
    this.retry = RETRY_FIRST_MS;
    this.told = '';
    // A newer call of `keepRegistered`, or `stop`, takes the turn from the one that runs.
    this.turn = 0;
  }

  // Asks to be watched, with these fields besides name and address; may be called as often as you like.
  monitor(how = {}) {
    return this.#call('monitor', { appname: this.app, url: this.url, ...how });
  }

  // What the server knows of the app.
  info() {
    return this.#call(`info?appname=${encodeURIComponent(this.app)}`);
  }

  // Asks to be forgotten; nothing is registered any more when this ends.
  async stop() {
    this.turn += 1;
    clearTimeout(this.timer);
    await this.busy;
    return this.#call('stop', { appname: this.app });
  }

  // Does what `monitor` does, until a server has taken it, and again when it knows nothing of the app
  // any more. Ends with `stop`, and does not keep the program from ending.
  keepRegistered(how = {}) {
    clearTimeout(this.timer);
    this.known = false;
    this.turn += 1;
    this.#keep(how, this.turn);
  }

  async #keep(how, mine) {
    await this.busy;
    if (this.turn !== mine) return;
    this.busy = this.step(how);
    const pause = await this.busy;
    if (this.turn === mine) this.timer = setTimeout(() => this.#keep(how, mine), pause).unref();
  }

  // Does what is to be done now; after how many milliseconds to come back.
  async step(how) {
    try {
      await (this.known ? this.#look(how) : this.monitor(how));
      if (!this.known || this.told) console.log(`${this.app}: registered with HealthChecker at ${this.base}`);
      [this.known, this.retry, this.told] = [true, RETRY_FIRST_MS, ''];
      return LOOK_EVERY_MS;
    } catch (why) {
      if (this.told !== why.message) console.error(`${this.app}: ${why.message}`);
      this.told = why.message;
      const pause = this.retry;
      this.retry = Math.min(this.retry * 2, RETRY_LAST_MS);
      return why instanceof Refused && why.status < 500 ? REFUSED_MS : pause;
    }
  }

  async #look(how) {
    try {
      await this.info();
    } catch (why) {
      if (!(why instanceof Refused && [401, 403, 404].includes(why.status))) throw why;
      // It has forgotten the app, or does not say: to register again changes nothing then.
      this.known = false;
      await this.monitor(how);
    }
  }

  // One call, a POST where there are fields; what the server says.
  async #call(call, fields) {
    const { status, text } = await this.#exchange(call, fields);
    const answer = jsonObject(text);
    // Many a server answers 200 to everything.
    const member = status !== 200 ? 'error' : fields ? 'result' : 'appname';
    if (!(member in answer)) {
      throw new Error(`what answers at ${this.base} is no HealthChecker server (HTTP status ${status})`);
    }
    if (status !== 200) throw new Refused(status, String(answer.error));
    return answer;
  }

  async #exchange(call, fields) {
    try {
      const response = await fetch(this.base + ROOT + call, {
        method: fields ? 'POST' : 'GET',
        headers: {
          Accept: 'application/json',
          ...(fields && { 'Content-Type': 'application/json' }),
          ...(this.token && { Authorization: `Bearer ${this.token}` }),
        },
        body: fields && JSON.stringify(fields),
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      return { status: response.status, text: await response.text() };
    } catch (why) {
      throw new Error(`no answer from the HealthChecker server at ${this.base}: ${why.cause?.message || why.message}`);
    }
  }
}

// An address as people write it (pi:8080, http://pi:8080/healthchecker/), made plain; what is before
// /healthchecker stays.
function plainAddress(given) {
  const text = given.trim();
  const base = (text.includes('://') ? text : `http://${text}`).replace(/\/+$/, '').replace(/\/healthchecker$/, '');
  const isRight = URL.canParse ? URL.canParse(base) : /^https?:\/\/[^/]/.test(base);
  if (!isRight || !/^https?:\/\/[!-~]+$/.test(base)) {
    throw new TypeError(`${JSON.stringify(given)} is no address of a server; set HEALTHCHECKER_SERVER to http://ADDRESS:PORT`);
  }
  return base;
}

// One that was read from a file ends with a line feed.
function plainToken(given) {
  const token = given.trim();
  if (/[^!-~]/.test(token)) throw new TypeError('the token has a character in it that no token has; it was not sent');
  return token;
}

// A JSON object; of anything else an empty one.
function jsonObject(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
