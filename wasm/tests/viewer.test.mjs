// The viewer in headless Chromium: what a user does with it, with every other origin blocked.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { bundleOfRecords, dist, launch, openPage, quiet, serve, shopRecords, siteOf } from "./viewer-support.mjs";

let browser, server;
const strangers = [];

before(async () => {
  server = await serve({ site: siteOf("shop", bundleOfRecords("shop", shopRecords())) });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** A test in a page that has to end without a fault. */
function flow(name, address, run, options = {}) {
  test(name, async () => {
    const opened = await openPage(browser, server, { path: `/site/index.html${address}`, ...options });
    try {
      await quiet(opened.page);
      await run(opened.page);
      assert.deepEqual(opened.faults, []);
    } finally {
      strangers.push(...opened.strangers);
      await opened.close();
    }
  });
}

const total = (page) => page.getByTestId("total").innerText();
const cell = (page, row, column) => page.locator(`#row-${row} [role=gridcell]`).nth(column);
const search = async (page, filter) => {
  await page.fill("#search", filter);
  await page.keyboard.press("Enter");
  await quiet(page);
};

flow("a bundle opens: totals, bars, facets, and the newest events first", "", async (page) => {
  assert.equal(await total(page), "2,400");
  assert.ok((await page.locator(".chart rect[class^=band-]").count()) > 50);
  assert.match(await page.locator(".legend").innerText(), /error 400/);
  assert.match(await page.locator(".facet").first().innerText(), /info\s+1\.2K/);
  assert.match(await cell(page, 0, 5).innerText(), /job number 2399/);
  assert.equal(await page.locator("[role=grid]").getAttribute("aria-rowcount"), "2401");
});

flow("a filter narrows everything, and stands in the address", "", async (page) => {
  await search(page, "kind:login severity>=error");
  assert.equal(await total(page), "80");
  assert.match(decodeURIComponent(page.url()), /#\/search\?q=kind:login\+severity>=error/);
  await search(page, "number 7");
  await page.goBack();
  await quiet(page);
  assert.equal(await total(page), "80");
  assert.equal(await page.inputValue("#search"), "kind:login severity>=error");
  await page.reload();
  await quiet(page);
  assert.equal(await total(page), "80");
});

flow("what is wrong with a filter is said under its place", "", async (page) => {
  await page.fill("#search", "kind:login actr:x");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#problem");
  assert.match(await page.locator("#problem").innerText(), /there is no field `actr`.*did you mean `actor`/s);
  assert.equal(await page.locator(".marks mark").innerText(), "actr:x");
  assert.equal(await page.locator("#search").getAttribute("aria-invalid"), "true");
  await page.fill("#search", "kind:login");
  await page.waitForSelector("#problem", { state: "detached" });
});

flow("fields and values are completed with the keyboard alone", "", async (page) => {
  await page.keyboard.press("/");
  await page.keyboard.type("act");
  await page.waitForSelector("#offer-0");
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.querySelector("#offer-0")?.textContent.includes("ann"));
  await page.keyboard.type("da");
  await page.waitForFunction(() => document.querySelectorAll("[role=option]").length === 1);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue("#search"), 'actor:"dave smith" ');
  await page.keyboard.press("Enter");
  await quiet(page);
  assert.equal(await total(page), "600");
});

flow("a part of the histogram is marked with the pointer, and becomes the range", "", async (page) => {
  const box = await page.locator(".chart svg").boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 30);
  assert.match(await page.locator(".tip").innerText(), /events/);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await quiet(page);
  const count = Number((await total(page)).replace(",", ""));
  assert.ok(count > 500 && count < 750, `${count}`);
  assert.match(page.url(), /since=.*until=/);
  await page.getByRole("button", { name: "Show all time" }).click();
  await quiet(page);
  assert.equal(await total(page), "2,400");
});

flow("the histogram is read and zoomed with the keyboard", "", async (page) => {
  const chart = page.locator(".chart svg");
  await chart.focus();
  await page.keyboard.press("Home");
  assert.match(await chart.getAttribute("aria-valuetext"), /2026-02-03 .*: \d+ events: /);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Enter");
  await quiet(page);
  assert.match(page.url(), /since=2026-02-03/);
  assert.ok(Number(await total(page)) < 100);
});

flow("facets include and leave out, and any column can be counted", "", async (page) => {
  const facet = (name) => page.locator(".facet", { has: page.locator(`h2 span:text-is("${name}")`) });
  await facet("kind").getByRole("button", { name: /^login/ }).first().click();
  await quiet(page);
  assert.equal(await page.inputValue("#search"), "kind:login");
  assert.equal(await total(page), "480");
  await facet("actor").getByRole("button", { name: "Leave out actor ann" }).click();
  await quiet(page);
  assert.equal(await page.inputValue("#search"), "kind:login -actor:ann");
  assert.equal(await total(page), "360");
  await facet("kind").getByRole("button", { name: /^login/ }).first().click();
  await page.getByRole("button", { name: "+ Count a column" }).click();
  await page.getByRole("searchbox", { name: "Find a column" }).fill("status");
  await page.getByRole("button", { name: /http_status|^status int/ }).first().click();
  await quiet(page);
  assert.match(await page.locator(".facet").last().innerText(), /200[\s\S]*500/);
  assert.match(page.url(), /facets=/);
});

flow("the table scrolls to its end, sorts, and shows other columns", "", async (page) => {
  await page.locator("#events").focus();
  await page.keyboard.press("End");
  await quiet(page);
  assert.match(await cell(page, 2399, 5).innerText(), /login number 0 /);
  assert.ok((await page.locator("#events .tbody [role=row]:not([hidden])").count()) < 80, "only what is seen is drawn");
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("searchbox", { name: "Find a column" }).fill("duration");
  await page.getByRole("checkbox", { name: /duration_ms/ }).check();
  await page.keyboard.press("Escape");
  await quiet(page);
  await page.getByRole("button", { name: "duration_ms", exact: false }).click();
  await quiet(page);
  assert.equal(await cell(page, 0, 6).innerText(), "0 ms");
  await page.getByRole("button", { name: "duration_ms", exact: false }).click();
  await quiet(page);
  assert.equal(await cell(page, 0, 6).innerText(), "899 ms");
  assert.match(page.url(), /order=-duration_ms/);
  const before = await page.locator(".th").nth(3).evaluate((element) => element.offsetWidth);
  await page.getByRole("button", { name: "kind", exact: true }).focus();
  await page.keyboard.press("Alt+ArrowRight");
  assert.equal(await page.locator(".th").nth(3).evaluate((element) => element.offsetWidth), before + 16);
});

flow("keys walk through the table, open an event and close it", "", async (page) => {
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".details .fields");
  assert.match(await page.locator(".details").innerText(), /page_view number 2398/);
  await page.keyboard.press("j");
  await page.waitForFunction(() => document.querySelector(".details")?.textContent.includes("payment number 2397"));
  assert.match(page.url(), /event=\d+/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".details").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.id), "events");
});

flow("an event shows its fields, its changes, its entity's history, and JSON", "#/search?q=kind:order_update", async (page) => {
  await page.locator("#row-0").click();
  await page.waitForSelector(".details .fields");
  assert.match(await page.locator(".fields").innerText(), /http\.path\s+\/api\/v1\/things/);
  await page.getByRole("tab", { name: "Changes" }).click();
  assert.match(await page.locator(".changes").innerText(), /status changed[\s\S]*open[\s\S]*paid/);
  await page.getByRole("button", { name: "This entity's history" }).click();
  await page.waitForSelector(".history li");
  assert.equal(await page.locator(".history > li > .link").count(), 50);
  await page.getByRole("tab", { name: "JSON" }).click();
  const shown = JSON.parse(await page.locator("pre.json").innerText());
  assert.deepEqual(shown.after, { status: "paid", total: 2397, notes: "line one\nline two" });
  assert.equal(shown.http.status, 200);
});

flow("from an event to those that belong to it", "#/search?q=kind:order_update", async (page) => {
  await page.locator("#row-0").click();
  await page.waitForSelector(".details .fields");
  await page.getByRole("button", { name: "Filter for actor" }).click();
  await quiet(page);
  assert.equal(await page.inputValue("#search"), "kind:order_update actor:ann");
  await page.getByRole("button", { name: "Filter out source" }).click();
  await quiet(page);
  assert.match(await page.inputValue("#search"), /-source:/);
  await page.getByRole("button", { name: "This session" }).click();
  await quiet(page);
  assert.match(await page.inputValue("#search"), /^session:s-\d+$/);
  assert.equal(await total(page), "8");
  await page.getByRole("button", { name: "This entity's events" }).click();
  await quiet(page);
  assert.equal(await total(page), "60");
  await page.getByRole("button", { name: "Events around this" }).click();
  await quiet(page);
  assert.equal(await page.inputValue("#search"), "");
  const around = Number(await total(page));
  assert.ok(around >= 4 && around <= 7, `${around}`);
});

flow("an event is copied as JSON", "", async (page) => {
  await page.locator("#row-0").click();
  await page.getByRole("button", { name: "Copy as JSON" }).click();
  await page.waitForSelector(".notice.shown");
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(copied.message, "job number 2399 took 71 ms");
}, { permissions: ["clipboard-read", "clipboard-write"] });

flow("times count back from the newest event, or are exact", "", async (page) => {
  await page.getByRole("button", { name: "All time" }).click();
  await page.getByRole("button", { name: "Last 24 hours" }).click();
  await quiet(page);
  assert.equal(await total(page), "800");
  assert.match(page.url(), /last=24h/);
  await page.getByRole("button", { name: "Last 24 hours" }).click();
  await page.getByLabel("From", { exact: true }).fill("2026-02-03T00:00:00");
  await page.getByLabel("Before", { exact: true }).fill("2026-02-03T01:00:00");
  await page.getByRole("button", { name: "Apply" }).click();
  await quiet(page);
  assert.equal(await total(page), "34");
});

flow("a filter that no event matches says so, and how to go on", "", async (page) => {
  await search(page, "last:1m");
  assert.match(await page.locator(".table .nothing").innerText(), /No events match[\s\S]*count back from now/);
  await page.locator(".nothing").getByRole("button", { name: "Clear the filter" }).click();
  await quiet(page);
  assert.equal(await total(page), "2,400");
});

flow("times are relative on demand, with the exact one on hover", "", async (page) => {
  assert.equal(await cell(page, 0, 0).innerText(), "2026-02-05 23:58:12.000");
  await page.getByLabel("Relative times").check();
  await quiet(page);
  assert.equal(await cell(page, 1, 0).innerText(), "1 min before");
  assert.equal(await cell(page, 1, 0).getAttribute("title"), "2026-02-05 23:56:24.000000 UTC");
});

flow("the selection is written as CSV and JSON", "#/search?q=kind:login&last=24h", async (page) => {
  await page.getByRole("button", { name: "Download" }).click();
  const [csv] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  const lines = readFileSync(await csv.path(), "utf8").trim().split("\n");
  assert.equal(lines.length, 161);
  assert.match(lines[0], /^seq,ts,severity,source,kind,actor,message/);
  const [json] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "JSON", exact: true }).click()]);
  assert.equal(JSON.parse(readFileSync(await json.path(), "utf8")).length, 160);
});

flow("SQL is completed, run, drawn and written", "#/sql", async (page) => {
  await page.waitForSelector(".result [role=row]");
  assert.equal(await page.locator(".result [role=grid]").getAttribute("aria-rowcount"), "6");
  await page.locator(".editor .cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("SELECT sour");
  await page.waitForSelector(".cm-tooltip-autocomplete li");
  assert.match(await page.locator(".cm-tooltip-autocomplete li").first().innerText(), /source/);
  await page.keyboard.press("Tab");
  await page.keyboard.type(", sum(duration_ms) AS total, count(*) AS n FROM events GROUP BY ALL ORDER BY n");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => document.querySelector("[role=status]") && /2 rows in/.test(document.body.textContent));
  assert.match(decodeURIComponent(page.url()), /sql=SELECT\+source/);
  await page.getByRole("button", { name: "Chart" }).click();
  await page.waitForSelector(".canvas canvas");
  const [parquet] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Parquet" }).click()]);
  assert.equal(readFileSync(await parquet.path()).subarray(0, 4).toString(), "PAR1");
  const [csv] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  assert.match(readFileSync(await csv.path(), "utf8"), /^source,total,n\r?\nweb,/);
});

flow("an error of SQL is shown with its place, and the page goes on", "#/sql?sql=SELECT+nothing_such+FROM+events", async (page) => {
  assert.match(await page.locator(".failure").innerText(), /nothing_such/);
  await page.evaluate(() => (location.hash = "#/sql?sql=SELECT+1+AS+one"));
  await page.waitForFunction(() => /1 row in/.test(document.body.textContent));
});

flow("patterns: templates, sequences and bursts lead to their events", "#/patterns?patterns=templates", async (page) => {
  assert.match(await page.locator(".report").innerText(), /login number <\*> took <\*> ms/);
  await page.getByRole("button", { name: "Rarest" }).click();
  await quiet(page);
  await page.getByRole("button", { name: "Sequences" }).click();
  await quiet(page);
  assert.match(await page.locator(".report").innerText(), /Frequent paths[\s\S]*login → order_update/);
  for (const name of ["Bursts", "Rhythms", "Actors", "Findings"]) {
    await page.getByRole("button", { name }).click();
    await quiet(page);
    assert.equal(await page.locator(".failure").count(), 0, name);
  }
  await page.evaluate(() => (location.hash = "#/patterns?patterns=templates"));
  await quiet(page);
  await page.locator(".list .link").first().click();
  await quiet(page);
  assert.match(await page.inputValue("#search"), /^template:/);
});

flow("the overview counts the events that match, and says what the bundle is", "#/overview?q=kind:login", async (page) => {
  const text = await page.locator(".report").innerText();
  assert.match(text, /Events\s+480/);
  assert.match(text, /Kinds[\s\S]*login\s+480/);
  assert.match(text, /The bundle[\s\S]*Size/);
  assert.match(text, /Columns/);
});

flow("the audit report is of a period, and prints without the page around it", "#/audit?from=2026-02-03&to=2026-02-03", async (page) => {
  assert.match(await page.locator(".audit").innerText(), /2026-02-03 00:00:00 to 2026-02-04 00:00:00[\s\S]*Events\s+800/);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("header.top").isVisible(), false);
  assert.equal(await page.locator(".audit h2").isVisible(), true);
  assert.equal((await page.pdf()).subarray(0, 4).toString(), "%PDF");
});

flow("the bundle is verified, with a badge", "", async (page) => {
  await page.getByRole("button", { name: "Verification: Verify" }).click();
  await page.getByRole("button", { name: "Verify all files" }).click();
  await page.waitForSelector(".badge-menu.whole");
  assert.match(await page.locator(".verify").innerText(), /All \d+ files are as the manifest says/);
});

flow("a view is saved, used and forgotten", "#/search?q=kind:login", async (page) => {
  await page.getByRole("button", { name: "Saved" }).click();
  await page.getByRole("textbox", { name: "Name of the query" }).fill("Logins");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await search(page, "");
  await page.reload();
  await quiet(page);
  await page.getByRole("button", { name: "Saved" }).click();
  await page.getByRole("link", { name: "Logins" }).click();
  await quiet(page);
  assert.equal(await total(page), "480");
  await page.getByRole("button", { name: "Saved" }).click();
  await page.getByRole("button", { name: "Forget Logins" }).click();
  assert.equal(await page.getByRole("link", { name: "Logins" }).count(), 0);
});

flow("light and dark follow the system or the user; keys and help are there", "", async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  assert.notEqual(light, dark);
  await page.keyboard.press("t");
  assert.equal(await ground(), light);
  await page.keyboard.press("?");
  assert.ok(await page.getByRole("heading", { name: "Keys" }).isVisible());
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog").count(), 0);
  await page.keyboard.press("2");
  await page.waitForSelector(".editor");
});

test("live tail starts and stops, marks new rows, and the counts keep up", async () => {
  const tailing = `import { Daybook as Own } from "./index.js?own"; export * from "./index.js?own";
    const more = [];
    export const Daybook = { ...Own, async open(...given) {
      const store = await Own.open(...given);
      store.tail = { follow: (filter, heard, signal) => new Promise((_done, failed) => {
        const timer = setInterval(async () => heard(await store.sql("SELECT seq, ts FROM events ORDER BY ts DESC LIMIT 2")), 300);
        signal.addEventListener("abort", () => (clearInterval(timer), failed(new Error("stopped"))));
      }) };
      return store;
    } };`;
  const prepare = (context) => context.route(/engine-[0-9a-f]+\/index\.js$/, (route) => route.fulfill({ contentType: "text/javascript", body: tailing }));
  const { page, faults, close } = await openPage(browser, server, { prepare });
  await quiet(page);
  await page.getByRole("button", { name: "▶ Live" }).click();
  await page.waitForSelector("#row-0.new");
  assert.match(await page.locator(".live").innerText(), /new/);
  await page.getByRole("button", { name: "■ Stop" }).click();
  assert.ok(await page.getByRole("button", { name: "▶ Live" }).isVisible());
  assert.deepEqual(faults, []);
  await close();
});

test("there is no live tail where nothing comes", async () => {
  const { page, close } = await openPage(browser, server);
  await quiet(page);
  assert.equal(await page.getByRole("button", { name: "Live" }).count(), 0);
  await close();
});

test("the viewer's JavaScript is at most 250 kB, gzipped", () => {
  const scripts = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".js") && !name.endsWith("duckdb.js"));
  const size = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name)), { level: 9 }).length, 0);
  assert.ok(scripts.length > 5 && size <= 250_000, `${size} bytes`);
  assert.ok(statSync(join(dist, "index.html")).size < 5000);
});

test("no request went to another origin", () => assert.deepEqual(strangers, []));
