// The first screen, which comes before DuckDB, and copies of columns, which it comes from.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { CorruptError, Daybook, NotFoundError } from "../web/dist/node.js";
import { bundleOf, demo, folder, root, serve } from "./support.mjs";

const DAY = 86_400_000;
const COLUMNS = ["ts", "severity", "kind", "actor", "message", "duration_ms"];

let bundles;
before(() => {
  const lines = Array.from({ length: 300 }, (_, n) => JSON.stringify({
    // Days out of order, many events of the same instant, some before 1970, severities of all kinds and none.
    ts: new Date(DAY * ((n * 7) % 12) - (n % 50 === 0 ? 40 * 365 * DAY : 0) + 1_770_000_000_000).toISOString(),
    ...(n % 3 ? { severity: (n % 26) } : {}), kind: `k${n % 4}`, tags: ["a", `${n % 5}`], mixed: n % 2 ? n : `t${n}`, message: n % 7 ? `m ${n} "é"` : "",
  }));
  writeFileSync(folder("odd.jsonl"), lines.join("\n"));
  bundles = {
    year: demo("glance-year", 20_000),
    small: bundleOf("glance-small", join(root, "tests/conformance/basics/events.jsonl")),
    odd: bundleOf("glance-odd", folder("odd.jsonl")),
  };
});

const rowsOf = (table) => table.toArray().map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? String(value) : value)));
const typesOf = (table) => table.schema.fields.map(({ name, type }) => `${name} ${type}`);

/** What a first screen shows: counts, and pages of all events in both directions. */
async function seen(store) {
  const [first, last] = store.about.span.map((us) => us / 1000);
  const grids = [{ origin: Math.floor(first / DAY) * DAY, step: DAY, count: 400 }, { origin: first, step: Math.max(1, Math.floor((last - first) / 7)), count: 5 }];
  const found = [...(await Promise.all(grids.map((grid) => store.buckets(grid))))];
  for (const descending of [true, false]) {
    const selection = await store.select({ order: { column: "ts", descending } });
    for (const from of [0, selection.length >> 1, selection.length - 5]) {
      const page = await selection.page(from, 100, { columns: COLUMNS });
      found.push(selection.length, typesOf(page), rowsOf(page));
    }
  }
  return found;
}

test("what comes before DuckDB is what DuckDB answers", async () => {
  for (const [name, bundle] of Object.entries(bundles)) {
    const store = await Daybook.open(bundle, { glance: true });
    await store.buckets({ origin: 0, step: DAY, count: 1 });
    assert.equal((await store.counters()).duckdbStartMs, 0, `DuckDB was started for ${name}`);
    const early = await seen(store);
    await store.sql("SELECT 1");
    const late = await seen(store);
    assert.deepEqual(early, late, name);
    const oldest = await store.sql(`SELECT seq, ${COLUMNS} FROM events ORDER BY ts, seq LIMIT 100`);
    assert.deepEqual([typesOf(oldest), rowsOf(oldest)], early.slice(12, 14), name);
    assert.ok((await store.counters()).duckdbStartMs > 0 && early.length > 10);
    store.close();
  }
});

test("what is not known at a glance is asked of DuckDB", async () => {
  const early = await Daybook.open(bundles.odd, { glance: true });
  const late = await Daybook.open(bundles.odd);
  const grid = { origin: early.about.span[0] / 1000, step: 5 * DAY, count: 100 };
  const filter = "kind:k1";
  assert.deepEqual(await early.buckets(grid, { filter }), await late.buckets(grid, { filter }));
  const [one, other] = [await early.select({ filter }), await late.select({ filter })];
  assert.deepEqual(rowsOf(await one.page(0, 20, { columns: COLUMNS })), rowsOf(await other.page(0, 20, { columns: COLUMNS })));
  assert.deepEqual(await early.sql("SELECT kind, count(*) AS n FROM events GROUP BY 1 ORDER BY 1").then(rowsOf), await late.sql("SELECT kind, count(*) AS n FROM events GROUP BY 1 ORDER BY 1").then(rowsOf));
  early.close();
  // Lists, fields of mixed type, and columns that are not stored, in the very first page.
  for (const columns of [["tags"], ["mixed"], ["recorded_at"], null]) {
    const store = await Daybook.open(bundles.odd, { glance: true });
    const options = columns ? { columns } : {};
    const [page, known] = [await (await store.select()).page(0, 20, options), await (await late.select()).page(0, 20, options)];
    assert.deepEqual(rowsOf(page), rowsOf(known), `${columns}`);
    store.close();
  }
  late.close();
});

test("columns of many days come from their copy, and other columns from the days", async () => {
  const server = await serve({ b: bundles.year });
  const store = await Daybook.open(`${server.url}/b/`);
  assert.equal(store.about.copies.length, 1);
  const folders = () => new Set(server.asked.splice(0).map(({ path }) => path.split("/")[2]));
  folders();
  const byKind = "SELECT kind, count(*) AS n, min(ts) AS first FROM events GROUP BY 1 ORDER BY 1";
  const copied = await store.sql(byKind);
  assert.deepEqual(folders(), new Set(["columns"]));
  const other = await store.sql("SELECT kind, count(*) AS n, min(ts) AS first FROM events WHERE event_id IS NOT NULL OR seq > 0 GROUP BY 1 ORDER BY 1");
  assert.deepEqual(folders(), new Set(["events"]));
  assert.deepEqual(rowsOf(copied), rowsOf(other));
  await store.sql("SELECT source FROM events WHERE ts >= TIMESTAMP '2026-03-02' AND ts < TIMESTAMP '2026-03-03'");
  assert.deepEqual(folders(), new Set(["events"]));
  assert.equal(await store.prefetch(["message"]), true);
  assert.deepEqual(folders(), new Set(["columns"]));
  await store.sql("SELECT count(*) FROM events WHERE message LIKE '%a%'");
  assert.deepEqual(folders(), new Set());
  store.close();
  server.close();
});

test("a copy that is damaged or missing is told, before DuckDB too", async () => {
  const bad = folder("glance-bad");
  cpSync(bundles.year, bad, { recursive: true });
  const copy = join(bad, JSON.parse(readFileSync(join(bad, "manifest.json"))).copies[0].path);
  const bytes = readFileSync(copy);
  bytes[1_000] ^= 1;
  writeFileSync(copy, bytes);
  const store = await Daybook.open(bad, { glance: true });
  await assert.rejects(store.select(), (error) => error instanceof CorruptError && /columns\/part-0001/.test(error.message));
  assert.deepEqual((await store.verify()).damaged, ["columns/part-0001.parquet"]);
  assert.equal((await store.sql("SELECT count(event_id)::INTEGER AS n FROM events")).get(0).n >= 0, true);
  store.close();
  const server = await serve({ b: bundles.year }, (path) => (path.includes("/columns/") ? { status: 404 } : {}));
  const lacking = await Daybook.open(`${server.url}/b/`, { glance: true });
  await assert.rejects(lacking.buckets({ origin: lacking.about.span[0] / 1000, step: DAY, count: 400 }), NotFoundError);
  lacking.close();
  server.close();
});
