// A client in TypeScript with nothing in it but what the description says: `described.ts` is generated
// from it. Prints what the daemon answers, one JSON text a line.
import createClient from "openapi-fetch";
import type { components, paths } from "./described.js";

declare const process: { argv: string[] };

const [base, url] = process.argv.slice(2) as [string, string];
const api = createClient<paths>({ baseUrl: base });

function say(value: unknown): void {
  console.log(JSON.stringify(value));
}

// What has a default may be left out.
const least: components["schemas"]["Registration"] = { appname: "Kodi", url };
say((await api.POST("/healthchecker/monitor", { body: least })).data?.result);

const more: components["schemas"]["Registration"] = {
  appname: "NAS", url, interval: 10, timeout: 2, healthy: 2, expect: "200-299,401", path: "/x", email: "a@b.c",
};
say((await api.POST("/healthchecker/monitor", { body: more })).data?.result);

const wrong = await api.POST("/healthchecker/monitor", { body: { ...least, interval: 1 } });
say(wrong.error?.field);

// No text/html beside it: what is known is an app and never a string.
const info = await api.GET("/healthchecker/info", { params: { query: { appname: "NAS" } } });
const app: components["schemas"]["AppWithRecent"] | undefined = info.data;
say([app?.appname, app?.interval, app?.path, app?.email, app?.recent.length === undefined]);

const status = await api.GET("/healthchecker/status");
say(status.data?.apps.map((one) => one.appname).sort());

for (const call of ["/healthchecker/pause", "/healthchecker/resume", "/healthchecker/stop"] as const) {
  say((await api.POST(call, { body: { appname: "NAS" } })).data?.result);
}
say((await api.GET("/healthchecker/info", { params: { query: { appname: "NAS" } } })).response.status);
say((await api.GET("/health")).data?.status);
