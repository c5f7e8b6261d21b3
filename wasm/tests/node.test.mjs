// The package in Node: conformance, and what may go wrong.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
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

test("log files of all formats are read", async () => {
  const lines = [1, 2, 3].map((n) => JSON.stringify({ ts: `2026-02-03T10:00:0${n}Z`, level: "error", message: `m${n}` })).join("\n");
  const files = {
    "a.jsonl": [lines, 3],
    "a.jsonl.gz": [gzipSync(lines), 3],
    "a.json": [`[${lines.replaceAll("\n", ",")}]`, 3],
    "a.csv": ["ts,level,message\n2026-02-03T10:00:00Z,error,\"a, b\"\n2026-02-03T10:00:01Z,info,c\n", 2],
    "a.log": ["<34>1 2026-02-03T10:00:00Z host su - ID47 - failed\n<34>1 2026-02-03T10:00:01Z host su - ID47 - ok\n", 2],
    "access.log": ['127.0.0.1 - - [03/Feb/2026:10:00:00 +0000] "GET / HTTP/1.1" 500 12 "-" "curl"\n', 1],
    "a.jsonl.zst": [Buffer.from("KLUv/QRoLQIAMoQNEaDt0/jH0e1BGXi5JIf7WwMD04SogunBvE4KvZeYg11zLnm9UkzLwWd8//0w5EIvil69ftAyBACgEcAcNKyBJewBYEqJMw==", "base64"), 3],
  };
  for (const [name, [content, events]] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
    const told = [];
    const store = await Daybook.ingest(bytes, { name, onProgress: ({ step }) => told.push(step) });
    assert.equal(store.about.events, events, name);
    assert.equal((await store.select()).length, events, name);
    assert.deepEqual([...new Set(told)], ["fetch", "decode"]);
    store.close();
  }
  await assert.rejects(Daybook.ingest(new Uint8Array(1 << 20), { name: "large", memoryLimit: 1 << 20 }), LimitError);
  const bomb = gzipSync(Buffer.alloc(8 << 20, "a line\n"));
  await assert.rejects(Daybook.ingest(bomb, { name: "bomb.gz", memoryLimit: 1 << 20 }), { name: "LimitError", message: /decompressed/ });
  await assert.rejects(Daybook.ingest(new TextEncoder().encode(lines), { name: "a", format: "docx" }), { name: "InvalidError" });
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

test("events and answers are exported in every format", async () => {
  const store = await Daybook.open(bundle);
  const text = (bytes) => new TextDecoder().decode(bytes);
  const begins = { parquet: /^PAR1/, arrow: /^ARROW1/, csv: /^kind,/, jsonl: /^\{"kind":/, json: /^\[/, markdown: /^\| kind/ };
  for (const [format, begin] of Object.entries(begins)) {
    assert.match(text(await store.export(format, { filter: "kind:*", columns: ["kind", "ts"] })), begin, format);
    assert.match(text(await store.export(format, { sql: "SELECT 1 AS kind, $b AS b", parameters: { b: "x" } })), begin, format);
  }
  assert.equal(text(await store.export("jsonl", { limit: 2 })).trim().split("\n").length, 2);
  assert.equal(text(await store.export("jsonl", { filter: "nothing:1", lenient: true })), "");
  assert.match(text(await store.export("csv", { sql: "SELECT '=1+1' AS a" })), /'=1\+1/);
  store.close();
});
