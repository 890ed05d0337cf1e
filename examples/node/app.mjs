// An app in Node (18 or later, no packages) that registers and answers its health checks.
// HEALTHCHECKER_SERVER says where the server is: `healthchecker discover` shows it.

import http from 'node:http';
import os from 'node:os';

const APP_NAME = 'Node App';
const SERVER = process.env.HEALTHCHECKER_SERVER;
const TOKEN = process.env.HEALTHCHECKER_API_TOKEN;
const RETRY_MS = 60_000;
const ANSWER_WITHIN_MS = 30_000;

function myIpAddr() {
  const all = Object.values(os.networkInterfaces()).flat();
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

async function monitor(url, how) {
  const answer = await fetch(new URL('/healthchecker/monitor', SERVER), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(TOKEN && { Authorization: `Bearer ${TOKEN}` }),
    },
    body: JSON.stringify({ appname: APP_NAME, url, ...how }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(sentence(text));
  return text;
}

// Why the server refuses, in its own words.
function sentence(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return `what answers at ${SERVER} is no HealthChecker server`;
  }
}

async function keepTrying(url) {
  try {
    console.log(await monitor(url, { email: 'me@example.org', interval: 10, healthy: 4 }));
  } catch (why) {
    console.error(`not registered with HealthChecker: ${why.message}`);
    setTimeout(keepTrying, RETRY_MS, url).unref();
  }
}

if (!SERVER) {
  console.error('set HEALTHCHECKER_SERVER to http://ADDRESS:PORT');
  process.exit(2);
}
const app = http.createServer((request, response) => {
  if (request.url !== '/health') return response.end('Hello\n');
  response.writeHead(200, { 'Content-Type': 'application/health+json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ status: 'pass', description: APP_NAME }));
});
app.listen(0, () => keepTrying(`http://${myIpAddr()}:${app.address().port}`));
