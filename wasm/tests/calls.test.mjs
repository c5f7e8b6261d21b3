// How calls behave: stopped, side by side, bounded, and what their errors say.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { Daybook, LimitError, QueryError } from "../web/dist/node.js";
import { bundleOf, demo, root, serve } from "./support.mjs";

let bundle;
before(() => {
  bundle = bundleOf("calls", join(root, "tests/conformance/basics/events.jsonl"));
});

test("a question that is no longer wanted ends at once, and the next one is answered", async () => {
  const store = await Daybook.open(bundle);
  const selection = await store.select({ order: { column: "ts", descending: false } });
  const first = (await selection.page(0, 3)).toArray().map(({ seq }) => seq);
  // DuckDB looks up in the midst of the first ones, and not for minutes in the last one.
  const scan = "SELECT count(*) AS n FROM range(1000000000000) WHERE hash(range) < 7";
  const join = "SELECT count(*) AS n FROM range(3000000) a, range(3000000) b WHERE hash(a.range, b.range) < 7";
  for (const [sql, parameters] of [[scan, {}], [scan.replace("7", "$most"), { most: 7 }], [join, {}]]) {
    const stop = new AbortController();
    const asked = store.sql(sql, { signal: stop.signal, parameters });
    const next = store.sql("SELECT 1::INTEGER AS n");
    setTimeout(() => stop.abort(), 300);
    await assert.rejects(asked, { name: "AbortError", kind: "interrupted" });
    assert.equal((await next).toArray()[0].n, 1);
    assert.deepEqual((await selection.page(0, 3)).toArray().map(({ seq }) => seq), first);
  }
  const endless = store.search("", { limit: 1 });
  await endless.next();
  await endless.return();
  assert.equal((await store.sql("SELECT kind FROM events")).numRows, store.about.events);
  store.close();
  await assert.rejects(selection.page(0, 1), { kind: "closed" });
}, { timeout: 60_000 });

test("calls fetch side by side, and what several want comes once", async () => {
  const server = await serve({ b: bundle });
  const store = await Daybook.open(`${server.url}/b/`);
  const sql = "SELECT kind, count(*) FROM events GROUP BY 1";
  const answers = await Promise.all([sql, sql, "SELECT count(kind), count(source) FROM events", sql].map((sql) => store.sql(sql)));
  assert.equal(answers[0].numRows, answers[3].numRows);
  const asked = server.asked.map(({ path, range }) => `${path} ${range}`);
  assert.deepEqual(asked, [...new Set(asked)]);
  store.close();
  server.close();
});

test("a question with one column more loads that one", async () => {
  const server = await serve({ b: bundle });
  const store = await Daybook.open(`${server.url}/b/`);
  await store.sql("SELECT ts, seq, kind FROM events");
  const before = (await store.counters()).bytesFetched;
  const sql = "SELECT kind, source FROM events ORDER BY ts, seq";
  const table = await store.sql(sql);
  const more = (await store.counters()).bytesFetched - before;
  const alone = await Daybook.open(bundle);
  assert.deepEqual(table.toArray().map(String), (await alone.sql(sql)).toArray().map(String));
  await store.sql("SELECT source FROM events");
  assert.ok(more > 0 && (await store.counters()).bytesFetched - before === more);
  alone.close();
  store.close();
  server.close();
});

test("a call tells how far it is", async () => {
  const server = await serve({ b: bundle });
  const told = [];
  const onProgress = (progress) => told.push(progress);
  const store = await Daybook.open(`${server.url}/b/`, { onProgress });
  await store.sql("SELECT kind FROM events", { onProgress });
  assert.deepEqual([...new Set(told.map(({ step }) => step))], ["open", "fetch", "decode", "query"]);
  for (const { step, done, total } of told) assert.ok(done >= 0 && done <= total, `${step}: ${done} of ${total}`);
  const last = (step) => told.findLast((one) => one.step === step);
  for (const step of ["open", "fetch", "decode", "query"]) assert.equal(last(step).done, last(step).total, step);
  store.close();
  server.close();
});

test("answers and DuckDB's own memory are bounded", async () => {
  const store = await Daybook.open(bundle, { memoryLimit: 1 << 20 });
  const large = "SELECT range, repeat('x', 100) AS x FROM range(100000)";
  await assert.rejects(store.sql(large), { name: "LimitError", message: /the answer has more than 1\.0 MB/ });
  const distinct = "SELECT count(DISTINCT x) FROM (SELECT range || repeat('x', 100) AS x FROM range(10000000))";
  await assert.rejects(store.sql(distinct), (error) => error instanceof LimitError && /ask for less/.test(error.hint));
  assert.equal((await store.sql("SELECT kind FROM events")).numRows, store.about.events);
  store.close();
});

test("what several questions loaded makes room for the next one", async () => {
  const most = await Daybook.open(bundle);
  const store = await Daybook.open(bundle, { memoryLimit: most.about.events * 50 });
  for (const column of ["kind", "source", "message", "level", "actor", "kind"]) {
    assert.equal((await store.sql(`SELECT ${column} FROM events`)).numRows, store.about.events, column);
  }
  most.close();
  store.close();
});

test("errors say where, and what was perhaps meant", async () => {
  const store = await Daybook.open(bundle);
  const fails = (call, name, message, hint = /^/) =>
    assert.rejects(call, (error) => {
      assert.equal(error.name, name, error.message);
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  await fails(store.sql("SELECT knd FROM events"), "QueryError", /"knd" not found/, /did you mean `kind`/);
  await fails(store.sql("SELECT * FROM event"), "QueryError", /event does not exist/, /did you mean `events`/);
  await fails(store.sql("SELECT FROM WHERE"), "QueryError", /syntax error/);
  await fails(store.sql("SELECT kind FROM events WHERE regexp_matches(kind, '(')"), "QueryError", /missing \)/);
  await fails(store.stats({ filter: "kind:a knd:b" }), "QueryError", /\^/, /kind/);
  await fails(store.select({ filter: "severity>=(" }), "QueryError", /\^/);
  await fails(store.ask({ analysis: "stat" }), "InvalidError", /stat/);
  await fails(store.export("docx"), "InvalidError", /docx/);
  await fails(store.sql("SELECT $a", { parameters: { a: { b: 1 } } }), "InvalidError", /parameter/);
  store.close();
});

test("the rows of a selection come by pages, in its order", async () => {
  const store = await Daybook.open(bundle);
  const numbers = (table) => table.toArray().map(({ seq }) => seq);
  const newest = await store.select();
  assert.equal(newest.length, store.about.events);
  const all = numbers(await store.sql("SELECT seq FROM events ORDER BY ts DESC, seq DESC"));
  const page = await newest.page(2, 3, { columns: ["kind"] });
  assert.deepEqual(numbers(page), all.slice(2, 5));
  assert.deepEqual(page.schema.fields.map(({ name }) => name), ["seq", "kind"]);
  assert.equal((await newest.page(all.length - 1, 100)).numRows, 1);
  assert.equal((await newest.page(all.length, 100)).numRows, 0);
  await assert.rejects(newest.page(-1, 100), { name: "InvalidError" });
  await assert.rejects(newest.page(0, 1e9), { name: "InvalidError" });
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

test("selections are bounded, and those that are closed make room", async () => {
  const store = await Daybook.open(bundle);
  const open = [];
  for (let n = 0; n < 64; n++) open.push(await store.select({ filter: "kind:deploy" }));
  await assert.rejects(store.select(), { name: "LimitError", hint: /close/ });
  open[0].close();
  assert.equal((await store.select()).length, store.about.events);
  store.close();
});

test("errors of one day of 90 fetch at most 3 % of the bundle", async () => {
  const ninety = demo("ninety", 500_000, "--days", "2026-04-02..2026-06-30");
  const server = await serve({ ninety });
  const store = await Daybook.open(`${server.url}/ninety/`);
  const { day } = store.about.files[45];
  const rows = await store.select({ filter: `severity>=error ts>=${day} ts<${day}T23:59:59` });
  const page = await rows.page(0, 100, { columns: ["ts", "severity", "source", "message"] });
  assert.ok(page.numRows > 0);
  const { bytesFetched } = await store.counters();
  const share = bytesFetched / store.about.bytes;
  assert.ok(share <= 0.03, `${(100 * share).toFixed(2)} % of ${store.about.bytes} bytes`);
  store.close();
  server.close();
});
