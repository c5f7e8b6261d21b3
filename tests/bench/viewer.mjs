// How fast the viewer is over a large bundle: node tests/bench/viewer.mjs BUNDLE [RESULTS.json]
//
// Make a bundle with `daybook demo --events 1000000 --store S` and `daybook export --bundle BUNDLE --no-viewer --store S`. Everything is
// served from this machine. Script time is what the page's own thread spends on JavaScript in a frame.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../../wasm/tests/support.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { chromium } = createRequire(join(root, "wasm/web/package.json"))("playwright-core");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const [bundle, results] = process.argv.slice(2);
if (!bundle || !existsSync(join(bundle, "manifest.json"))) throw new Error("which bundle? node tests/bench/viewer.mjs BUNDLE [RESULTS.json]");

const place = mkdtempSync(join(tmpdir(), "daybook-bench-"));
for (const from of [join(root, "wasm/viewer/dist"), resolve(bundle)]) for (const name of readdirSync(from)) symlinkSync(join(from, name), join(place, name));
const server = await serve({ b: place });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** Milliseconds from a start until each panel has its answer. */
function panels(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const started = performance.now();
        const times = {};
        const panel = { histogram: ".histogram", facets: ".facets", table: ".table" };
        const look = () => {
          for (const [name, selector] of Object.entries(panel)) {
            const element = document.querySelector(selector);
            const isBusy = !element || element.getAttribute("aria-busy") === "true" || element.querySelector(".skeleton, .waiting:not([hidden])");
            if (isBusy) delete times[name];
            else times[name] ??= Math.round(performance.now() - started);
          }
          if (Object.keys(times).length === 3) resolve(times);
          else setTimeout(look, 4);
        };
        setTimeout(look, 20);
      }),
  );
}

/** From the address to the first histogram and the first rows. */
async function visit(context) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.longest = 0;
    window.seen = {};
    const wanted = { histogram: "[data-testid=total]", rows: "#row-0:not(.waiting)" };
    const look = () => {
      for (const [name, selector] of Object.entries(wanted)) if (document.querySelector(selector)) window.seen[name] ??= Math.round(performance.now());
    };
    // Playwright's own waiting is late by some tenths of a second while the page is busy.
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (window.longest = Math.max(window.longest, duration)))).observe({ type: "longtask" });
  });
  const started = performance.now();
  await page.goto(`${server.url}/b/index.html`);
  await page.waitForFunction(() => window.seen.histogram && window.seen.rows, undefined, { timeout: 120_000 });
  const { histogram, rows } = await page.evaluate(() => window.seen);
  await panels(page);
  const all = Math.round(performance.now() - started);
  const duckdb = await page.workers()[0].evaluate(() => Math.round(performance.getEntriesByName("DuckDB starts")[0].duration));
  return { page, times: { histogram, rows, all, of_which_duckdb_starts: duckdb } };
}

async function filtered(page, filter) {
  await page.fill("#search", filter);
  await page.keyboard.press("Enter");
  return panels(page);
}

/** Script time of frames while the table is scrolled. */
async function scrolled(page) {
  await page.evaluate(() => (window.longest = 0));
  await browser.startTracing(page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline"] });
  const box = await page.locator("#events").boundingBox();
  await page.mouse.move(box.x + 200, box.y + 200);
  for (let step = 0; step < 120; step++) {
    await page.mouse.wheel(0, 400);
    await page.waitForTimeout(16);
  }
  for (const share of [0.1, 0.5, 0.9, 0.3]) {
    await page.evaluate((to) => (document.querySelector("#events").scrollTop = to * document.querySelector(".tbody").offsetHeight), share);
    await page.waitForTimeout(300);
  }
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  return { ...frames(traceEvents), longest_task_ms: Math.round(await page.evaluate(() => window.longest)) };
}

const SCRIPT = new Set(["FunctionCall", "FireAnimationFrame", "RunMicrotasks", "EventDispatch", "TimerFire", "EvaluateScript", "v8.callFunction"]);

/** Sums the script time of each frame, of the thread that draws; what is nested counts once. */
function frames(events) {
  const main = events.find(({ name }) => name === "FireAnimationFrame");
  const own = events.filter(({ pid, tid, ph }) => main && pid === main.pid && tid === main.tid && ph === "X").sort((one, other) => one.ts - other.ts);
  const times = [];
  let [current, until] = [0, 0];
  for (const { name, ts, dur = 0 } of own) {
    if (name === "Commit" || name === "BeginMainThreadFrame") {
      times.push(current / 1000);
      current = 0;
    } else if (SCRIPT.has(name) && ts >= until) {
      current += dur;
      until = ts + dur;
    }
  }
  const sorted = times.filter((time) => time > 0).sort((one, other) => one - other);
  const at = (share) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2));
  return { frames: sorted.length, script_ms_median: at(0.5), script_ms_p95: at(0.95), script_ms_max: at(0.9999) };
}

const manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8"));
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const cold = await visit(context);
await cold.page.close();
const warm = await visit(context);
const { page } = warm;
// Somebody reads the first screen for a while.
await page.waitForTimeout(3_000);
const first = await page.evaluate(() => Math.round(window.longest));
const kind = await page.locator(".facet .value .name").nth(8).innerText();
const filters = {};
for (const filter of ["severity>=error", `kind:${kind}`, "-status:*", "order", "duration_ms>=1s", ""]) filters[filter || "(none)"] = await filtered(page, filter);
const scroll = await scrolled(page);
const report = {
  events: manifest.events, bytes: manifest.bytes, files: manifest.files.length, cores: cpus().length,
  cold_ms: cold.times, warm_ms: warm.times, longest_task_ms: first, after_filter_ms: filters, scroll,
};
console.log(JSON.stringify(report, null, 2));
if (results) writeFileSync(results, `${JSON.stringify(report, null, 2)}\n`);
await browser.close();
server.close();
rmSync(place, { recursive: true, force: true });
