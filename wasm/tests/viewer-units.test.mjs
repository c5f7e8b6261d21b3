// What the viewer computes without a page: addresses, filters' texts, ranges of time, buckets, differences, the viewport.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, after, test } from "node:test";
import { fileURLToPath } from "node:url";

const { build } = createRequire(new URL("../web/package.json", import.meta.url))("esbuild");
const source = fileURLToPath(new URL("../viewer/src/", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "daybook-viewer-"));
const MODULES = [
  "state/address", "state/time-range", "state/view", "search/filter-text", "search/completion", "search/problem", "histogram/buckets",
  "details/diff", "details/record", "table/viewport", "table/pages", "table/cells", "text/numbers", "text/times", "data/values", "data/severity", "sql/columns", "patterns/filter-of",
];
const of = {};

before(async () => {
  const entryPoints = MODULES.map((name) => join(source, `${name}.ts`));
  await build({ entryPoints, outdir: place, outbase: source, bundle: true, format: "esm", outExtension: { ".js": ".mjs" }, logLevel: "warning" });
  for (const name of MODULES) of[name] = await import(join(place, `${name}.mjs`));
});
after(() => rmSync(place, { recursive: true, force: true }));

test("an address says all of a view, and nothing that is as usual", () => {
  const { addressOf, viewOf } = of["state/address"];
  const { initial } = of["state/view"];
  assert.equal(addressOf(initial()), "#/search");
  const views = [
    { filter: 'kind:"a b" -x:1 &#%?', range: { kind: "last", length: "24h" } },
    { range: { kind: "between", since: "2026-02-03T00:00:00.000Z", until: "2026-02-04T00:00:00.000Z" } },
    { range: { kind: "between", since: "2026-02-03T00:00:00.000Z" } },
    { columns: ["ts", "a,b", "c\\d", "é"], order: { column: "duration_ms", descending: false }, facets: ["kind"] },
    { facets: [] },
    { event: "1795336736126693", tab: "patterns", patterns: "bursts" },
    { tab: "sql", sql: "SELECT '#' || 1\n  + 2", shown: { as: "chart", chart: "bar", x: "a,b", y: ["n", "m"] } },
    { tab: "audit", audit: { from: "2026-01-01", until: "2026-01-31" } },
  ];
  for (const change of views) {
    const view = { ...initial(), ...change };
    assert.deepEqual(viewOf(addressOf(view)), view, addressOf(view));
  }
});

test("an address that says nonsense shows what is usual", () => {
  const { viewOf } = of["state/address"];
  const { initial } = of["state/view"];
  for (const address of ["", "#", "#/", "#/nothing", "#/search?last=yesterday&event=x1&patterns=no&since=never&as=3d", "#/search?%"]) {
    assert.deepEqual(viewOf(address), initial(), address);
  }
});

test("a range of time counts back from the newest event, and becomes terms of the filter", () => {
  const { within, lengthMs, lengthText, boundsOf } = of["state/time-range"];
  const span = { first: Date.UTC(2026, 0, 1), last: Date.UTC(2026, 0, 31) };
  assert.equal(lengthMs("1h30m"), 5_400_000);
  assert.equal(lengthMs("1 h"), undefined);
  assert.equal(within("a or b", { kind: "all" }, span), "a or b");
  assert.equal(within("a or b", { kind: "last", length: "24h" }, span), "(a or b) since:2026-01-30T00:00:00.001Z");
  assert.equal(within(" ", { kind: "between", since: "2026-01-02T00:00:00Z", until: "2026-01-03T00:00:00Z" }, span), "since:2026-01-02T00:00:00.000Z until:2026-01-03T00:00:00.000Z");
  assert.deepEqual(boundsOf({ kind: "last", length: "24h" }, undefined), {});
  assert.equal(lengthText(90_000), "1.5 min");
  assert.equal(lengthText(250), "250 ms");
});

test("a term says a value as the grammar reads it", () => {
  const { termOf, fieldOf } = of["search/filter-text"];
  const kind = { name: "kind", path: null };
  for (const [value, term] of [
    ["login", "kind:login"], ["a b", 'kind:"a b"'], ['say "x"\\', 'kind:"say \\"x\\"\\\\"'], ["a,b", 'kind:"a,b"'], ["x*", 'kind:"x*"'],
    ["/etc", 'kind:"/etc"'], ["a/b", "kind:a/b"], ["", 'kind:""'], ["(x)", 'kind:"(x)"'], ["or", 'kind:"or"'], ["-1", 'kind:"-1"'], [null, "-kind:*"],
  ]) assert.equal(termOf(kind, value), term);
  assert.equal(termOf({ name: "severity", path: null }, "17"), "severity:error");
  assert.equal(termOf({ name: "severity", path: null }, "18"), "severity:18");
  assert.equal(termOf({ name: "message", path: null }, "a*"), 'message="a*"');
  assert.equal(fieldOf({ name: "http_status", path: ["http", "status"] }), "http.status");
  assert.equal(fieldOf({ name: "x", path: ["a.b", "c d"] }), '"a.b"."c d"');
  assert.equal(fieldOf({ name: "type_2", path: ["type"] }), '"type"');
});

test("terms are added to a filter, taken out of it, and turned round", () => {
  const { terms, withTerm, withoutTerm, hasTerm } = of["search/filter-text"];
  assert.deepEqual(terms('kind:"a b" -x:(1 2)  path:/a b/ and "or" *'), ['kind:"a b"', "-x:(1 2)", "path:/a b/", '"or"']);
  assert.deepEqual(terms("a or b"), ["a or b"]);
  assert.equal(withTerm("", "kind:x"), "kind:x");
  assert.equal(withTerm("kind:x", "kind:x"), "kind:x");
  assert.equal(withTerm("kind:x a", "-kind:x"), "a -kind:x");
  assert.equal(withTerm("a OR b", "kind:x"), "(a OR b) kind:x");
  assert.equal(withTerm("(a or b) c", "kind:x"), "(a or b) c kind:x");
  assert.equal(withoutTerm('kind:x "a b"', "kind:x"), '"a b"');
  assert.ok(hasTerm('b kind:"x y"', 'kind:"x y"'));
  assert.ok(!hasTerm("kind:xy", "kind:x"));
  assert.deepEqual(terms('"no end'), ['"no end']);
});

test("what stands before the caret is a field or a value", () => {
  const { wantedAt, fieldOffers, valueOffers, taken } = of["search/completion"];
  const at = (text) => wantedAt(text, text.length);
  assert.deepEqual(at("kind:login ac"), { kind: "field", typed: "ac", from: 11, to: 13, isNegated: false });
  assert.deepEqual(at("-ac"), { kind: "field", typed: "ac", from: 1, to: 3, isNegated: true });
  assert.deepEqual(at("kind:lo"), { kind: "value", field: "kind", typed: "lo", from: 5, to: 7 });
  assert.deepEqual(at("(http.status>=4"), { kind: "value", field: "http.status", typed: "4", from: 14, to: 15 });
  assert.deepEqual(at("kind:a,b"), { kind: "value", field: "kind", typed: "b", from: 7, to: 8 });
  assert.deepEqual(at('kind:"a b'), { kind: "value", field: "kind", typed: '"a b', from: 5, to: 9 });
  assert.equal(at('"a kin'), undefined);
  const columns = [{ name: "kind", path: null, type: "string" }, { name: "x_kind", path: ["x", "kind"], type: "string" }, { name: "seq", path: null, type: "int64" }];
  assert.deepEqual(fieldOffers("ki", columns).map(({ text }) => text), ["kind:", "x.kind:"]);
  const offers = valueOffers("lo", [{ value: "hello", count: 3 }, { value: "log in", count: 1 }], String);
  assert.deepEqual(offers.map(({ text, note }) => [text, note]), [['"log in"', "1"], ["hello", "3"]]);
  assert.deepEqual(taken("a kind:lo b", { kind: "value", field: "kind", typed: "lo", from: 7, to: 9 }, { text: "login", note: "", goesOn: false }), { filter: "a kind:login b", caret: 13 });
});

test("an error of a filter says its place", () => {
  const { problemOf } = of["search/problem"];
  const error = (message, hint) => Object.assign(new Error(message), { hint });
  const found = problemOf(error("there is no field `actr`\n  kind:login actr:x\n             ^", "did you mean `actor`?"), "kind:login actr:x");
  assert.deepEqual(found, { message: "there is no field `actr`", hint: "did you mean `actor`?", place: { from: 11, to: 17 } });
  const long = `${"a".repeat(60)} kind:`;
  const cut = `...${long.slice(-50)}`;
  const expected = problemOf(error(`no value\n  ${cut}\n  ${" ".repeat(53)}^\nexpected a value`), long);
  assert.deepEqual(expected.place, { from: long.length, to: long.length });
  assert.equal(expected.expected, "expected a value");
  assert.deepEqual(problemOf(error("it failed"), "x"), { message: "it failed" });
});

test("stretches of time are round, cover the span, and are not too many", () => {
  const { gridOf, labelled, roundUp } = of["histogram/buckets"];
  const start = Date.UTC(2026, 1, 3, 10, 20, 33, 123);
  for (const length of [0, 1, 900, 61_000, 3_700_000, 86_400_000, 40 * 86_400_000, 400 * 86_400_000, 30_000 * 86_400_000]) {
    const grid = gridOf(start, start + length, 100);
    assert.ok(grid.origin <= start && grid.origin + grid.step * grid.count >= start + length, `${length}`);
    assert.ok(grid.count >= 1 && grid.count <= 102, `${length}: ${grid.count}`);
  }
  assert.equal(new Date(gridOf(start, start + 400 * 86_400_000, 100).origin).getUTCDay(), 1);
  assert.equal(gridOf(start, start + 86_400_000, 24, 5.5 * 3_600_000).origin % 3_600_000, 1_800_000);
  assert.ok(labelled(gridOf(start, start + 86_400_000, 100), 8).instants.length <= 9);
  assert.equal(roundUp(0), 1);
  assert.equal(roundUp(131), 150);
});

test("differences of states are found by path, and of texts by line", () => {
  const { differences, lineDifferences } = of["details/diff"];
  assert.deepEqual(differences({ a: 1, b: { c: [1, 2] }, d: null }, { a: 2, b: { c: [1, 3, 4] }, e: 0 }), [
    { path: "a", kind: "changed", before: 1, after: 2 },
    { path: "b.c.1", kind: "changed", before: 2, after: 3 },
    { path: "b.c.2", kind: "added", after: 4 },
    { path: "d", kind: "removed", before: null },
    { path: "e", kind: "added", after: 0 },
  ]);
  assert.deepEqual(differences(undefined, { a: 1 }), [{ path: "", kind: "added", after: { a: 1 } }]);
  assert.deepEqual(differences(JSON.parse('{"__proto__": {"x": 1}}'), {}).length, 1);
  assert.deepEqual(lineDifferences("a\nb\nc", "a\nx\nc").map(({ kind, text }) => `${kind[0]}${text}`), ["sa", "rb", "ax", "sc"]);
});

test("an event is put together from its columns, with keys that are no traps", () => {
  const { recordOf, isoOf } = of["details/record"];
  const columns = [
    { name: "seq", path: null, type: "int64" }, { name: "ts", path: null, type: "timestamp" }, { name: "kind", path: null, type: "string" },
    { name: "proto", path: ["__proto__", "polluted"], type: "string" }, { name: "status", path: ["http", "status"], type: "int64" },
    { name: "after", path: null, type: "string" }, { name: "rest", path: null, type: "string" },
  ];
  const row = { seq: 9007199254740993n, ts: 1770112233123.456, kind: "x", proto: "yes", status: 404n, after: '{"a":1}', rest: '{"http":{"extra":[1]}}' };
  const table = { numRows: 1, getChild: (name) => ({ get: () => row[name] }) };
  const record = recordOf(table, columns);
  assert.equal(record.seq, "9007199254740993");
  assert.equal(record.json.http.status, 404n);
  assert.deepEqual(record.json.http.extra, [1]);
  assert.deepEqual(record.json.after, { a: 1 });
  assert.equal(record.json.ts, "2026-02-03T09:50:33.123456Z");
  assert.equal({}.polluted, undefined);
  assert.ok(Object.hasOwn(record.json, "__proto__"));
  assert.equal(isoOf(-1n), "1969-12-31T23:59:59.999999Z");
});

test("a list of any length is scrolled to every row", () => {
  const { Viewport } = of["table/viewport"];
  for (const rows of [3, 1000, 1_000_000, 50_000_000]) {
    const viewport = new Viewport(rows, 26);
    viewport.height = 600;
    assert.ok(viewport.scrollHeight <= 12_000_000);
    for (const row of [0, 1, Math.floor(rows / 2), rows - 1]) {
      const native = viewport.center(row);
      assert.ok(native >= 0 && native <= Math.max(0, viewport.scrollHeight - 600) + 1, `${rows} ${row} ${native}`);
      const { first, end } = viewport.visible(0);
      assert.ok(first <= row && row < end, `${rows}: ${row} not in ${first}..${end}`);
    }
    viewport.scrolled(viewport.scrollHeight);
    assert.ok(viewport.visible(0).end === rows);
    viewport.scrolled(0);
    assert.equal(viewport.visible(0).first, 0);
  }
});

test("small movements in a list that is scaled are as long as on the screen", () => {
  const { Viewport } = of["table/viewport"];
  const viewport = new Viewport(10_000_000, 26);
  viewport.height = 600;
  viewport.center(5_000_000);
  const { top, native } = viewport;
  viewport.scrolled(native + 100);
  assert.equal(viewport.top, top + 100);
  const offset = viewport.offset(5_000_000);
  assert.ok(Math.abs(offset - viewport.native) < 600, "rows are drawn where the browser looks");
  const settled = viewport.settled();
  assert.ok(Math.abs(settled - (native + 100)) < 200);
});

test("pages that are not seen any more are stopped", async () => {
  const { Pages } = of["table/pages"];
  const asked = [];
  const fetch = (from, count, signal) => new Promise((resolve) => asked.push({ from, count, signal, resolve }));
  const pages = new Pages(1000, fetch, () => {}, assert.fail);
  pages.see(0, 30, true);
  assert.deepEqual(asked.map(({ from }) => from), [0, 200]);
  pages.see(900, 930, true);
  assert.ok(asked.every(({ signal, from }) => signal.aborted || from >= 800));
  assert.deepEqual(asked.slice(2).map(({ from, count }) => [from, count]), [[800, 200]]);
  asked[2].resolve({ getChild: () => ({ get: (at) => at }) });
  await new Promise(setImmediate);
  assert.equal(pages.value(905, "x"), 105);
  assert.equal(pages.value(5, "x"), undefined);
  pages.close();
});

test("values are written as they are", () => {
  const { json, decimalText, text } = of["data/values"];
  assert.equal(json({ a: 12345678901234567890n, b: "\u0000x", c: [1n] }), '{"a":12345678901234567890,"b":"\\u0000x","c":[1]}');
  assert.equal(decimalText(Uint32Array.of(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff), 0), "-1");
  assert.equal(decimalText(Uint32Array.of(12345, 0, 0, 0), 2), "123.45");
  assert.equal(decimalText(Uint32Array.of(5, 0, 0, 0), 2), "0.05");
  assert.equal(text(null), "");
  assert.equal(text({ a: 1n }), '{"a":1}');
});

test("numbers and times are short and exact", () => {
  const { bytesText, durationText, shareText, shortCount } = of["text/numbers"];
  const { exactTime, relativeText, axisText } = of["text/times"];
  assert.equal(bytesText(24_813_623), "24.8 MB");
  assert.equal(durationText(185_000), "3 min 5 s");
  assert.equal(durationText(1_234), "1.23 s");
  assert.equal(shareText(999_999, 1_000_000), "99.9 %");
  assert.equal(shortCount(1_234_567), "1.23M");
  assert.equal(exactTime(1770112233123456n, "utc"), "2026-02-03 09:50:33.123456 UTC");
  assert.equal(relativeText(0, 7_500_000), "2 h before");
  assert.equal(axisText(Date.UTC(2026, 1, 3), 3_600_000, "utc"), "2026-02-03");
});

test("severities have bands, and bands have terms", () => {
  const { bandOf, bandTerm, severityName, BANDS } = of["data/severity"];
  assert.deepEqual([null, 0, 1, 4, 5, 9, 12, 13, 17, 21, 24, 99].map(bandOf), ["none", "none", "trace", "trace", "debug", "info", "info", "warning", "error", "critical", "critical", "critical"]);
  assert.deepEqual(BANDS.map(bandTerm).slice(0, 4), ["-severity:*", "severity<debug", "(severity>=debug severity<info)", "(severity>=info severity<warning)"]);
  assert.equal(severityName(18), "error+1");
});

test("a chart has time along, and numbers up", () => {
  const { axes } = of["sql/columns"];
  const column = (name, type) => ({ name, path: [name], type });
  assert.deepEqual(axes([column("n", "Int64"), column("day", "Date32<DAY>"), column("k", "Utf8")]), { x: "day", y: ["n"], chart: "line" });
  assert.deepEqual(axes([column("k", "Utf8"), column("n", "Decimal[38e+0]")]), { x: "k", y: ["n"], chart: "bar" });
});

test("commands of findings lead to filters", () => {
  const { filterOf } = of["patterns/filter-of"];
  assert.equal(filterOf(["search", "kind:x since:2026-01-01T00:00:00Z"]), "kind:x since:2026-01-01T00:00:00Z");
  assert.equal(filterOf(["session", "a b"]), 'session:"a b"');
  assert.equal(filterOf(["session", "ann@2026-01-01T00:00:00Z"]), undefined);
  assert.equal(filterOf(["patterns", "rhythms"]), undefined);
});
