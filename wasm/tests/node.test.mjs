// The package in Node: conformance, and what may go wrong.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { Daybook, LimitError, CorruptError, NotFoundError, NetworkError, UnsupportedError, QueryError } from "../web/dist/node.js";
import { EXCUSED, answer, bundleOf, fault, folder, groups, root, serve } from "./support.mjs";

let bundle;
before(() => {
  bundle = bundleOf("small", join(root, "tests/conformance/basics/events.jsonl"));
});

async function outcome(store, one) {
  try {
    return { answer: await answer(store, one) };
  } catch (error) {
    return { error };
  }
}

for (const group of groups()) {
  test(`conformance: ${group.name}`, async () => {
    const store = await Daybook.open(group.bundle);
    const faults = [];
    for (const one of group.cases) {
      const found = fault(one, await outcome(store, one));
      const name = `${group.name}: ${one.name}`;
      if (found && !EXCUSED.has(name)) faults.push(`${name}\n${found}`);
      if (!found && EXCUSED.has(name)) faults.push(`${name}\nis excused and right`);
    }
    store.close();
    assert.equal(faults.length, 0, `${faults.length} of ${group.cases.length} cases:\n\n${faults.join("\n\n")}`);
  });
}

test("rows are Arrow, and searches come in batches", async () => {
  const store = await Daybook.open(bundle);
  const table = await store.sql("SELECT count(*)::INTEGER AS n FROM events");
  assert.equal(table.toArray()[0].n, store.about.events);
  let rows = 0;
  for await (const batch of store.search("", { limit: 5 })) rows += batch.numRows;
  assert.ok(rows >= 5 && rows <= 6, `${rows}`);
  await assert.rejects(store.sql("SELECT nothing_such FROM events"), QueryError);
  await assert.rejects(store.sql("SELECT 1; SELECT 2"), /multiple|one/);
  await assert.rejects(store.sql("CREATE TABLE x(i INT)"), /cannot run here/);
  for (const sql of ["SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM 'http://127.0.0.1:1/x.parquet'"]) await assert.rejects(store.sql(sql));
  await assert.rejects(store.sql("SELECT 1", { signal: AbortSignal.abort() }), { name: "AbortError" });
  store.close();
  store.close();
  await assert.rejects(store.sql("SELECT 1"), { name: "ClosedError" });
});

test("only what a question needs is fetched, and only once", async () => {
  const server = await serve({ b: bundle });
  const store = await Daybook.open(`${server.url}/b/`);
  await store.sql("SELECT count(*) FROM events WHERE day = DATE '1999-01-01' AND ts < TIMESTAMP '1999-01-02'");
  assert.deepEqual(server.asked.map(({ path }) => path), ["/b/manifest.json"]);
  await store.sql("SELECT kind, count(*) FROM events GROUP BY 1");
  const { requests, bytesFetched } = await store.counters();
  await store.sql("SELECT count(DISTINCT kind) FROM events");
  assert.equal((await store.counters()).requests, requests);
  assert.ok(bytesFetched < store.about.bytes + readFileSync(join(bundle, "manifest.json")).length);
  store.close();
  server.close();
});

test("a server without ranges gives whole files", async () => {
  const server = await serve({ b: bundle }, () => ({ noRanges: true }));
  const store = await Daybook.open(`${server.url}/b/`);
  const table = await store.sql("SELECT count(*)::INTEGER AS n, count(kind)::INTEGER AS k FROM events");
  assert.equal(table.toArray()[0].n, store.about.events);
  assert.equal((await store.counters()).hasRanges, false);
  store.close();
  server.close();
});

const isData = (path) => path.endsWith(".parquet");
for (const [what, spoil, expected] of [
  ["a missing file", (path) => (isData(path) ? { status: 404 } : {}), NotFoundError],
  ["a server's error", (path) => (isData(path) ? { status: 500 } : {}), NetworkError],
  ["a connection that is cut", (path) => (isData(path) ? { cut: 3 } : {}), NetworkError],
  ["a slow server", (path) => (isData(path) ? { stall: true } : {}), NetworkError],
  ["changed bytes", (path) => (isData(path) ? { change: (bytes) => bytes.map((byte) => byte ^ 1) } : {}), CorruptError],
  ["a truncated file", (path) => (isData(path) ? { change: (bytes) => bytes.subarray(0, bytes.length - 1) } : {}), CorruptError],
]) {
  test(`${what} is a clear error`, async () => {
    const server = await serve({ b: bundle }, spoil);
    const store = await Daybook.open(`${server.url}/b/`, { timeout: 300 });
    await assert.rejects(store.sql("SELECT kind FROM events"), expected);
    // What does not need the file goes on.
    assert.equal((await store.sql("SELECT 1 AS one")).numRows, 1);
    store.close();
    server.close();
  });
}

test("a manifest that is none, lies, or is newer is a clear error", async () => {
  const changed = (name, change) => {
    const place = folder(name);
    cpSync(bundle, place, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(place, "manifest.json"), "utf8"));
    writeFileSync(join(place, "manifest.json"), change(manifest) ?? JSON.stringify(manifest));
    return place;
  };
  await assert.rejects(Daybook.open(folder("nowhere")), NotFoundError);
  await assert.rejects(Daybook.open(changed("html", () => "<!doctype html>")), CorruptError);
  await assert.rejects(Daybook.open(changed("newer", (manifest) => void (manifest.daybook_bundle = 9))), UnsupportedError);
  await assert.rejects(Daybook.open(changed("out", (manifest) => void (manifest.files[0].path = "../x"))), CorruptError);
  await assert.rejects(Daybook.open(changed("sum", (manifest) => void manifest.events++)), CorruptError);
});

test("what is too much for memory says how much it is", async () => {
  const store = await Daybook.open(bundle, { memoryLimit: 100 });
  await assert.rejects(store.sql("SELECT * FROM events"), (error) => error instanceof LimitError && /would load .* the limit is 100 B/.test(error.message));
  store.close();
});

test("files are compared with the manifest", async () => {
  const place = folder("damaged");
  cpSync(bundle, place, { recursive: true });
  const good = await Daybook.open(place);
  assert.deepEqual((await good.verify()).damaged, []);
  const { path } = good.about.files[0];
  const bytes = readFileSync(join(place, path));
  bytes[10] ^= 1;
  writeFileSync(join(place, path), bytes);
  assert.deepEqual((await good.verify()).damaged, [path]);
  good.close();
});

test("a log file is read without a store", async () => {
  const lines = "2026-02-03T10:00:00Z ERROR disk full on sda1\n2026-02-03T10:00:01Z INFO started worker 7\n2026-02-03T10:00:02Z INFO started worker 8\n";
  const store = await Daybook.ingest(new TextEncoder().encode(lines), { name: "app.log" });
  assert.equal(store.about.events, 3);
  const errors = await store.sql("SELECT message FROM events WHERE severity >= 17");
  assert.equal(errors.numRows, 1);
  const stats = await store.stats();
  assert.equal(stats.total, 3);
  store.close();
  await assert.rejects(Daybook.ingest(new Uint8Array(0), { name: "empty.log" }), /no records/);
});

test("events are exported", async () => {
  const store = await Daybook.open(bundle);
  const parquet = await store.export("parquet", { filter: "" });
  assert.equal(new TextDecoder().decode(parquet.subarray(0, 4)), "PAR1");
  const lines = new TextDecoder().decode(await store.export("jsonl", { limit: 2 })).trim().split("\n");
  assert.equal(lines.length, 2);
  store.close();
});

test("the rows of a selection come by pages, in its order", async () => {
  const store = await Daybook.open(bundle);
  const numbers = (table) => table.toArray().map(({ seq }) => seq);
  const newest = await store.select();
  assert.equal(newest.length, store.about.events);
  const all = numbers(await store.sql("SELECT seq FROM events ORDER BY ts DESC, seq DESC"));
  assert.deepEqual(numbers(await newest.page(2, 3, { columns: ["kind"] })), all.slice(2, 5));
  assert.deepEqual((await newest.page(2, 3, { columns: ["kind"] })).schema.fields.map(({ name }) => name), ["seq", "kind"]);
  assert.equal((await newest.page(all.length - 1, 100)).numRows, 1);
  assert.equal((await newest.page(all.length, 100)).numRows, 0);
  assert.equal(await newest.index({ seq: all[4] }), 4);
  assert.equal(await newest.index({ seq: 1 }), undefined);
  newest.close();
  newest.close();
  await assert.rejects(newest.page(0, 1), { name: "ClosedError" });
  const byKind = await store.select({ filter: "kind:*", order: { column: "kind" } });
  const expected = numbers(await store.sql("SELECT seq FROM events WHERE kind IS NOT NULL ORDER BY kind, ts, seq"));
  assert.deepEqual(numbers(await byKind.page(0, expected.length)), expected);
  await assert.rejects(store.select({ filter: "nothing_such:1" }), QueryError);
  assert.equal((await store.select({ filter: "nothing_such:1", lenient: true })).length, 0);
  await assert.rejects(store.select({ order: { column: "nothing_such" } }), QueryError);
  store.close();
});
