// Chromium, driven by lines of JSON on standard input: one command, one answer.
//
// {"do": "open", "url": ..., "width": 360, "dark": true, "script": false} and so on; see `commands`.
// Whatever the browser complains of (a script's error, a breach of the Content-Security-Policy) is
// in the next answer as `complaints`.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const QUIET = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PATIENCE = 15000;

const browser = await chromium.launch({ executablePath: process.argv[2], args: QUIET });
let context, page, loads;
let complaints = [];

const commands = {
  async open({ url, width = 1200, height = 800, dark = false, script = true, headers = {}, login }) {
    await context?.close();
    context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      javaScriptEnabled: script,
      extraHTTPHeaders: headers,
      httpCredentials: login && { username: 'owner', password: login },
    });
    context.setDefaultTimeout(PATIENCE);
    page = await context.newPage();
    complaints = [];
    loads = 0;
    page.on('load', () => { loads += 1; });
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(String(error)));
    const answer = await page.goto(url);
    return { status: answer.status(), bytes: (await answer.body()).length };
  },
  async click({ selector }) {
    await page.click(selector);
    await page.waitForLoadState();
  },
  async fill({ selector, text }) {
    await page.fill(selector, text);
  },
  // Pages that were loaded since it was opened.
  async loads() {
    return loads;
  },
  async press({ key }) {
    await page.keyboard.press(key);
    await page.waitForLoadState();
  },
  async wait({ selector }) {
    await page.waitForSelector(selector);
  },
  // Works without the page's own script, too: it is run by the debugger.
  async evaluate({ expression }) {
    return await page.evaluate(expression);
  },
  async axe() {
    // By the debugger: the page's own policy lets no foreign script in.
    await page.evaluate(AXE);
    const found = await page.evaluate(() => globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }));
    return found.violations.map(({ id, help, nodes }) => ({
      id, help, nodes: nodes.slice(0, 3).map(node => node.html + ': ' + node.failureSummary),
    }));
  },
  async screenshot({ path, whole = false }) {
    await page.screenshot({ path, fullPage: whole });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { result: await commands[command.do](command) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify({ ...answer, complaints }));
}
await browser.close();
