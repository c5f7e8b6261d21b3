// The package in headless Chromium: conformance, and that a page stays what it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./chromium.mjs";
import { EXCUSED, demo, fault, groups } from "./support.mjs";

const all = groups();
let chromium;

before(async () => {
  chromium = await start({ ...Object.fromEntries(all.map(({ name, bundle }) => [name, bundle])), demo: demo() });
});
after(() => chromium?.close());

for (const { name, cases } of all) {
  test(`conformance: ${name}`, async () => {
    const { page, context, faults } = await chromium.visit();
    await page.evaluate((place) => window.daybook.open("a", place), `/${name}/`);
    const outcomes = await page.evaluate((cases) => window.daybook.outcomes("a", cases), cases);
    const wrong = cases.flatMap((each, at) => {
      const found = fault(each, outcomes[at]);
      const key = `${name}: ${each.name}`;
      if (!found && EXCUSED.has(key)) return [`${key}\nis excused and right`];
      return found && !EXCUSED.has(key) ? [`${key}\n${found}`] : [];
    });
    assert.equal(wrong.length, 0, `${wrong.length} of ${cases.length} cases:\n\n${wrong.join("\n\n")}`);
    assert.deepEqual(faults, []);
    await context.close();
  });
}

test("the page's thread is never blocked for more than 50 ms", async () => {
  const { page, context } = await chromium.visit();
  const { tasks, rows } = await page.evaluate(async () => {
    const tasks = [];
    let step = "open";
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => `${step}: ${duration} ms`)));
    observer.observe({ type: "longtask" });
    const steps = {
      open: async () => (window.stores.a = await window.Daybook.open("/demo/")),
      sql: () => window.stores.a.sql("SELECT ts, seq, kind, source, message FROM events ORDER BY message"),
      facets: () => window.stores.a.facets({ by: ["kind", "source", "actor"] }),
      select: async () => (window.selection = await window.stores.a.select({ filter: "severity>=info" })),
      page: () => window.selection.page(50_000, 1_000),
      export: () => window.stores.a.export("csv", { limit: 50_000, columns: ["ts", "kind", "message"] }),
    };
    let rows = 0;
    for (const [name, work] of Object.entries(steps)) {
      step = name;
      rows += (await work()).numRows ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { tasks, rows };
  });
  assert.ok(rows > 90_000);
  assert.deepEqual(tasks, []);
  await context.close();
});

test("DuckDB in a page reaches nothing", async () => {
  const { page, context } = await chromium.visit();
  await page.evaluate(() => window.daybook.open("a", "/basics/"));
  const before = chromium.server.asked.length;
  for (const sql of [
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '/basics/manifest.json'",
    "ATTACH '/basics/x.db' AS x",
    "COPY events TO '/x.csv'",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "CREATE TABLE x(i INT)",
    `SELECT * FROM read_csv('${chromium.server.url}/basics/manifest.json')`,
    `SELECT * FROM read_text('${chromium.server.url}/basics/manifest.json')`,
    `SELECT * FROM '${chromium.server.url}/basics/x.parquet'`,
    "SELECT * FROM read_parquet('/basics/x.parquet')",
    "SELECT * FROM glob('*')",
    "SELECT '1'::JSON",
    "SELECT TIMESTAMP '2026-01-01' AT TIME ZONE 'Europe/Berlin'",
  ]) {
    const { error } = await page.evaluate((sql) => window.daybook.counted("a", sql), sql);
    assert.ok(["refused", "syntax", "invalid"].includes(error?.kind), `${sql}: ${JSON.stringify(error)}`);
  }
  assert.deepEqual(chromium.server.asked.slice(before), []);
  await context.close();
});

test("no request went to another origin", () => assert.deepEqual(chromium.strangers, []));
