// An app in Node (18 or later, no packages) that registers and answers its health checks.
// HEALTHCHECKER_SERVER says where the server is: `healthchecker discover` shows it.

import http from 'node:http';
import os from 'node:os';

const APP_NAME = 'Node App';
const SERVER = process.env.HEALTHCHECKER_SERVER;
const TOKEN = process.env.HEALTHCHECKER_API_TOKEN;
const RETRY_MS = 60_000;

function myIpAddr() {
  const all = Object.values(os.networkInterfaces()).flat();
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

// Not by fetch, which poses as a browser (Sec-Fetch-Mode): pages in a browser may not register.
function monitor(url, how) {
  const options = {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(TOKEN && { Authorization: `Bearer ${TOKEN}` }),
    },
    timeout: 30_000,
  };
  return new Promise((resolve, reject) => {
    const request = http.request(new URL('/healthchecker/monitor', SERVER), options, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part));
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(sentence(text)));
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(JSON.stringify({ appname: APP_NAME, url, ...how }));
  });
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
