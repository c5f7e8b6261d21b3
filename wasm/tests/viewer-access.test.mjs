// The viewer for everyone: axe on every part in both themes, a phone, and no network but its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bundleOfRecords, launch, openPage, quiet, root, serve, shopRecords, siteOf } from "./viewer-support.mjs";

const axe = readFileSync(join(root, "wasm/viewer/node_modules/axe-core/axe.min.js"), "utf8");
let browser, server;

before(async () => {
  server = await serve({ site: siteOf("access", bundleOfRecords("access", shopRecords())), start: siteOf("access-start") });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** What axe finds, by rule and place. */
async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  return found.violations.flatMap(({ id, nodes }) => nodes.slice(0, 4).map((node) => `${id}: ${node.target} ${node.failureSummary?.split("\n")[1] ?? ""}`));
}

const PARTS = {
  "search": "",
  "a filter that is wrong": async (page) => (await page.fill("#search", "actr:x"), await page.waitForSelector("#problem")),
  "completions": async (page) => (await page.fill("#search", ""), await page.type("#search", "ki"), await page.waitForSelector("#offer-0")),
  "an event": async (page) => (await page.goto(`${server.url}/site/index.html#/search?q=kind:order_update`), await page.reload(), await quiet(page), await page.locator("#row-0").click(), await page.waitForSelector(".fields")),
  "its changes": async (page) => page.getByRole("tab", { name: "Changes" }).click(),
  "its history": async (page) => (await page.getByRole("tab", { name: "History" }).click(), await page.waitForSelector(".history li")),
  "its JSON": async (page) => page.getByRole("tab", { name: "JSON" }).click(),
  "times": async (page) => (await page.keyboard.press("Escape"), await page.getByRole("button", { name: "All time" }).click()),
  "columns": async (page) => (await page.keyboard.press("Escape"), await page.getByRole("button", { name: "Columns" }).click()),
  "verification": async (page) => (await page.keyboard.press("Escape"), await page.getByRole("button", { name: /^Verification/ }).click()),
  "help": async (page) => (await page.keyboard.press("Escape"), await page.getByRole("button", { name: "Help and keys" }).click()),
  "SQL": async (page) => (await page.keyboard.press("Escape"), await page.evaluate(() => (location.hash = "#/sql")), await page.waitForSelector(".result [role=row]")),
  "a chart": async (page) => (await page.getByRole("button", { name: "Chart" }).click(), await page.waitForSelector("canvas")),
  "findings": "#/patterns",
  "templates": "#/patterns?patterns=templates",
  "sequences": "#/patterns?patterns=sequences",
  "bursts": "#/patterns?patterns=bursts",
  "actors": "#/patterns?patterns=actors",
  "the overview": "#/overview",
  "the audit": "#/audit",
};

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing, ${colorScheme}`, async () => {
    const { page, faults, close } = await openPage(browser, server, { colorScheme });
    await quiet(page);
    const found = [];
    for (const [part, go] of Object.entries(PARTS)) {
      if (typeof go === "function") await go(page);
      else if (go !== "") await page.evaluate((address) => (location.hash = address), go);
      await page.waitForTimeout(50);
      await quiet(page);
      found.push(...(await violations(page)).map((one) => `${part}: ${one}`));
    }
    assert.deepEqual(found, []);
    assert.deepEqual(faults, []);
    await close();
  });

  test(`axe finds nothing on the start page, ${colorScheme}`, async () => {
    const { page, close } = await openPage(browser, server, { path: "/start/index.html", colorScheme, expected: [/404/] });
    await page.waitForSelector(".chooser");
    assert.deepEqual(await violations(page), []);
    await close();
  });
}

test("on a phone nothing is cut off, and all of it can be reached", async () => {
  const { page, faults, close } = await openPage(browser, server, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await quiet(page);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector("main").scrollWidth <= innerWidth);
  assert.ok(await fits(), "the page is not wider than the screen");
  assert.ok((await page.locator("#events").boundingBox()).height > 250, "the table has room");
  await page.getByRole("button", { name: "Facets", exact: true }).tap();
  await page.locator(".facet").first().getByRole("button", { name: /^error/ }).first().tap();
  await quiet(page);
  assert.equal(await page.inputValue("#search"), "severity:error");
  await page.getByRole("button", { name: "Facets", exact: true }).tap();
  await page.locator("#row-0").tap();
  await page.waitForSelector(".details .fields");
  const box = await page.locator(".details").boundingBox();
  assert.ok(box.width <= 390 && box.x >= 0);
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Close the event" }).tap();
  for (const tab of ["SQL", "Patterns", "Overview", "Audit"]) {
    await page.getByRole("link", { name: tab, exact: true }).tap();
    await page.waitForTimeout(50);
    await quiet(page);
    assert.ok(await fits(), tab);
    assert.deepEqual(await violations(page), [], tab);
  }
  assert.deepEqual(faults, []);
  await close();
});
