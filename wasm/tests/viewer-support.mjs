// What the viewer's tests share: its page beside a bundle, a browser that reaches nothing else, and events to look at.
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bundleOf, folder, root, serve } from "./support.mjs";

const { chromium } = createRequire(new URL("../web/package.json", import.meta.url))("playwright-core");
export const dist = join(root, "wasm/viewer/dist");
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** A folder with the page, and the bundle beside it, as an export makes one. */
export function siteOf(name, bundle) {
  const place = folder(`site-${name}`);
  if (existsSync(place)) return place;
  mkdirSync(place, { recursive: true });
  for (const from of bundle ? [dist, bundle] : [dist]) {
    for (const entry of readdirSync(from)) symlinkSync(join(from, entry), join(place, entry));
  }
  return place;
}

/** A copy of a bundle with its manifest changed. */
export function changedBundle(name, bundle, change) {
  const place = folder(`changed-${name}`);
  cpSync(bundle, place, { recursive: true });
  change(place);
  return place;
}

/** A bundle of records. */
export function bundleOfRecords(name, records) {
  const file = folder(`${name}.jsonl`);
  mkdirSync(folder(""), { recursive: true });
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join("\n"));
  return bundleOf(name, file);
}

/** Three days of a shop: 2,400 events. */
export function shopRecords() {
  const start = Date.UTC(2026, 1, 3);
  const kinds = ["login", "order_update", "payment", "page_view", "job"];
  const levels = ["info", "info", "info", "warning", "error", "debug"];
  return Array.from({ length: 2400 }, (_, at) => {
    const kind = kinds[at % kinds.length];
    const record = {
      timestamp: new Date(start + at * 108_000).toISOString(),
      kind,
      level: levels[(at * 7) % levels.length],
      actor: ["ann", "bob", "carol", "dave smith"][at % 4],
      source: at % 3 === 0 ? "web" : "worker",
      session: `s-${Math.floor(at / 8)}`,
      message: `${kind} number ${at} took ${at % 97} ms`,
      duration_ms: (at * 13) % 900,
      http: { status: at % 50 === 0 ? 500 : 200, path: `/api/v1/things/${at % 20}` },
    };
    if (kind !== "order_update") return record;
    const order = at % 40;
    return { ...record, entity_type: "order", entity_id: String(order), before: { status: "open", total: at }, after: { status: "paid", total: at + 1, notes: "line one\nline two" } };
  });
}

/** Events whose texts would run if the page took them for its own. */
export function hostileRecords() {
  const bad = [
    "<script>window.hacked = 1; alert(1)</script>", "<img src=x onerror=\"window.hacked = 1; alert(2)\">", "\"><svg onload=alert(3)>", "javascript:alert(4)",
    "=HYPERLINK(\"http://evil.invalid/\",\"x\")", "@SUM(1+1)", "${alert(5)}", "{{constructor.constructor('alert(6)')()}}", "\u202egnp.exe", "'; DROP TABLE events; --", "http://evil.invalid/a?b=<b>c</b>",
  ];
  return bad.flatMap((text, at) => [
    {
      timestamp: new Date(Date.UTC(2026, 1, 3, 10, at)).toISOString(), kind: text, actor: text, source: text, level: "error", session: text, message: text, status: text,
      entity_type: text, entity_id: text, before: { [text]: text }, after: { [text]: `${text}!` }, [text]: text, __proto__x: text, link: `javascript:alert(7)`,
    },
  ]);
}

/** A page in a browser context of its own that reaches the server and nothing else; what goes wrong in it is kept. */
export async function openPage(browser, server, options = {}) {
  const { path = "/site/index.html", prepare, expected = [], ...context } = options;
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...context });
  const strangers = [];
  await own.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(server.url) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
    strangers.push(url);
    return route.abort();
  });
  const page = await own.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.some((pattern) => pattern.test(message.text()))) faults.push(message.text());
  });
  page.on("dialog", (dialog) => (faults.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample} ${event.sourceFile}:${event.lineNumber}:${event.columnNumber} ${event.target?.outerHTML?.slice(0, 200)}`));
  });
  await prepare?.(own, page);
  await page.goto(server.url + path);
  return { page, faults, strangers, close: () => own.close() };
}

/** Waits until nothing is on its way. */
export async function quiet(page) {
  const busy = ".skeleton, .stale, .waiting:not([hidden]), [aria-busy=true], .opening";
  try {
    await page.waitForFunction((marks) => document.querySelector("main") && !document.querySelector(marks), busy, { timeout: 30_000 });
  } catch {
    const marks = await page.locator(busy).evaluateAll((all) => all.map((element) => element.className));
    throw new Error(`the page is still busy: ${marks.join(", ")}`);
  }
}

export { serve, root, folder };
