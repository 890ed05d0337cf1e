// An app in Node (18 or later, no packages) that registers and answers its health checks.
// HEALTHCHECKER_SERVER says where the server is: `healthchecker discover` shows it.

import http from 'node:http';

import { HealthCheckerServer } from './healthchecker.mjs';

const APP_NAME = 'Node App';

const app = http.createServer((request, response) => {
  if (request.url !== '/health') return response.end('Hello\n');
  response.writeHead(200, { 'Content-Type': 'application/health+json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ status: 'pass', description: APP_NAME }));
});
app.listen(0, () => {
  const server = new HealthCheckerServer(APP_NAME, `:${app.address().port}`);
  server.keepRegistered({ email: 'me@example.org', interval: 10, healthy: 4 });
});
