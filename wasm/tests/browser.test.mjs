// The package in headless Chromium, with every other origin blocked.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EXCUSED, bundleOf, fault, groups, root, serve } from "./support.mjs";

const { chromium } = createRequire(new URL("../web/package.json", import.meta.url))("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const all = groups();
const small = bundleOf("browser", join(root, "tests/conformance/basics/events.jsonl"));
let browser, server;
const strangers = [];

before(async () => {
  const folders = Object.fromEntries(all.map(({ name, bundle }) => [name, bundle]));
  server = await serve({ ...folders, small, dist: join(root, "wasm/web/dist"), page: join(root, "wasm/tests/page") });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...FLAGS, "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** A page in a browser of its own that reaches the server and nothing else. */
async function page(context) {
  const own = context ?? (await browser.newContext());
  await own.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(server.url) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
    strangers.push(url);
    return route.abort();
  });
  const one = await own.newPage();
  const faults = [];
  one.on("pageerror", (error) => faults.push(error.message));
  one.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await one.goto(`${server.url}/page/index.html`);
  await one.waitForSelector("body[data-ready]", { state: "attached" });
  return { one, faults };
}

for (const { name, cases } of all) {
  test(`conformance: ${name}`, async () => {
    const { one, faults } = await page();
    await one.evaluate((place) => window.daybook.open("a", place), `/${name}/`);
    const outcomes = await one.evaluate((cases) => window.daybook.outcomes("a", cases), cases);
    const wrong = cases.flatMap((each, at) => {
      const found = fault(each, outcomes[at]);
      const key = `${name}: ${each.name}`;
      return found && !EXCUSED.has(key) ? [`${key}\n${found}`] : [];
    });
    assert.equal(wrong.length, 0, `${wrong.length} of ${cases.length} cases:\n\n${wrong.join("\n\n")}`);
    assert.deepEqual(faults, []);
    await one.context().close();
  });
}

test("the page's thread is not blocked, and a second visit fetches nothing again", async () => {
  const context = await browser.newContext();
  const { one } = await page(context);
  const longest = await one.evaluate(async () => {
    let last = performance.now();
    let longest = 0;
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last - 5);
      last = performance.now();
    }, 5);
    await window.daybook.open("a", "/small/");
    await window.daybook.count("a", "SELECT count(kind) AS n FROM events");
    clearInterval(timer);
    return longest;
  });
  assert.ok(longest < 500, `blocked for ${longest} ms`);
  const before = server.asked.length;
  const { one: again } = await page(context);
  await again.evaluate(() => window.daybook.open("a", "/small/"));
  assert.ok((await again.evaluate(() => window.daybook.count("a", "SELECT count(kind) AS n FROM events"))) > 0);
  const fetched = server.asked.slice(before).filter(({ path }) => path.endsWith(".parquet"));
  assert.deepEqual(fetched, []);
  await context.close();
});

test("two tabs ask at once", async () => {
  const context = await browser.newContext();
  const tabs = await Promise.all([page(context), page(context)]);
  await Promise.all(tabs.map(({ one }) => one.evaluate(() => window.daybook.open("a", "/small/"))));
  const counts = await Promise.all(tabs.map(({ one }) => one.evaluate(() => window.daybook.count("a", "SELECT count(*) AS n FROM events"))));
  assert.equal(counts[0], counts[1]);
  await context.close();
});

test("no request went to another origin", () => assert.deepEqual(strangers, []));
