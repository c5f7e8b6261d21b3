// What may go wrong in a page: each time a clear message, never a blank one.
import assert from "node:assert/strict";
import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { start } from "./chromium.mjs";
import { bundleOf, folder, root } from "./support.mjs";

const KINDS = "SELECT count(kind) AS n FROM events";
let chromium, small;
/** How the server answers for the test that runs. */
let spoil = () => ({});

/** The bundle with another manifest. */
function changed(name, change) {
  const place = folder(name);
  cpSync(small, place, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(place, "manifest.json"), "utf8"));
  writeFileSync(join(place, "manifest.json"), change(manifest, place) ?? JSON.stringify(manifest));
  return place;
}

before(async () => {
  small = bundleOf("bad", join(root, "tests/conformance/basics/events.jsonl"));
  const bundles = {
    small,
    html: changed("html", () => "<!doctype html><title>Not found</title>"),
    newer: changed("newer", (manifest) => void (manifest.daybook_bundle = 9)),
    outside: changed("outside", (manifest) => void (manifest.files[0].path = "../secret.parquet")),
    miscounted: changed("miscounted", (manifest) => void manifest.events++),
    smaller: changed("smaller", (manifest) => void (manifest.files[0].size -= 1)),
    hashed: changed("hashed", (manifest) => void (manifest.files[0].footer.sha256 = "0".repeat(64))),
    truncated: changed("truncated", (manifest, place) => truncateSync(join(place, manifest.files[0].path), 200)),
  };
  chromium = await start(bundles, (...request) => spoil(...request));
});
after(() => chromium?.close());

/** What opening a bundle and a question give. */
async function asked(place, { options, before } = {}) {
  const { page, context } = await chromium.visit({ before });
  const opened = await page.evaluate(([place, options]) => window.outcome(() => window.daybook.open("a", place, options)), [place, options]);
  if (opened.error) return { ...opened, page, context };
  return { ...(await page.evaluate((sql) => window.daybook.counted("a", sql), KINDS)), page, context };
}

function check(what, place, expected, how = () => ({})) {
  test(`${what}: ${expected.name ?? "an answer"}`, async () => {
    spoil = how;
    const { answer, error, page, context } = await asked(place, { options: { timeout: 400 } });
    if (!expected.name) assert.ok(answer > 0, JSON.stringify(error));
    else {
      assert.equal(error?.name, expected.name, JSON.stringify({ answer, error }));
      assert.match(error.message, expected.message);
    }
    // What needs no file goes on.
    spoil = () => ({});
    if (await page.evaluate(() => "a" in window.stores)) assert.equal(await page.evaluate(() => window.daybook.count("a", "SELECT 1 AS n")), 1);
    await context.close();
  });
}

const isData = (path) => path.endsWith(".parquet");
const onData = (how) => (path) => (isData(path) ? how : {});
check("no bundle", "/nowhere/", { name: "NotFoundError", message: /manifest\.json/ });
check("a page in place of the manifest", "/html/", { name: "CorruptError", message: /manifest/ });
check("a newer format", "/newer/", { name: "UnsupportedError", message: /newer|version/i });
check("a path that leads outside", "/outside/", { name: "CorruptError", message: /manifest/ });
check("a manifest with a wrong sum", "/miscounted/", { name: "CorruptError", message: /manifest/ });
check("a manifest with a wrong size", "/smaller/", { name: "CorruptError", message: /./ });
check("a manifest with a wrong hash", "/hashed/", { name: "CorruptError", message: /part-0001\.parquet/ });
check("a truncated file", "/truncated/", { name: "CorruptError", message: /part-0001\.parquet/ }, );
check("a missing file", "/small/", { name: "NotFoundError", message: /part-0001\.parquet/ }, onData({ status: 404 }));
check("a server's error", "/small/", { name: "NetworkError", message: /500/ }, onData({ status: 500 }));
check("a connection that is cut", "/small/", { name: "NetworkError", message: /could not be fetched/ }, onData({ cut: 3 }));
check("a server that says nothing", "/small/", { name: "NetworkError", message: /nothing came for 0.4 s/ }, onData({ stall: true }));
check("changed bytes", "/small/", { name: "CorruptError", message: /part-0001\.parquet/ }, onData({ change: (bytes) => bytes.map((byte) => byte ^ 1) }));
check("a server without ranges", "/small/", {}, () => ({ noRanges: true }));
let requests = 0;
check("an error that passes", "/small/", {}, (path) => (isData(path) && requests++ < 1 ? { status: 503 } : {}));

test("a file of 2 GB is refused before it is read", async () => {
  spoil = () => ({});
  const { page, context } = await chromium.visit();
  const { error, ms } = await page.evaluate(async () => {
    const part = new Blob([new Uint8Array(1 << 20)]);
    const file = new File(Array.from({ length: 2048 }, () => part), "large.jsonl");
    const started = performance.now();
    return { ...(await window.outcome(() => window.Daybook.ingest(file))), ms: performance.now() - started };
  });
  assert.equal(error.name, "LimitError");
  assert.match(error.message, /`large\.jsonl` has 2\.1 GB; a page reads at most 536\.9 MB/);
  assert.ok(ms < 5_000, `${ms} ms`);
  await context.close();
});

test("without WebAssembly's exceptions DuckDB comes in its other form", async () => {
  const script = readFileSync(join(root, "wasm/web/dist/worker.js"), "utf8");
  // DuckDB asks so what the browser can; a module with exceptions has a tag section or a `try`.
  const prelude = "WebAssembly.validate = () => false;\n";
  spoil = (path) => (path.endsWith("/worker.js") ? { change: () => Buffer.from(prelude + script) } : {});
  const before = chromium.server.asked.length;
  const { answer, error, context } = await asked("/small/");
  assert.ok(answer > 0, JSON.stringify(error));
  const modules = chromium.server.asked.slice(before).map(({ path }) => path).filter((path) => path.includes("duckdb-"));
  assert.deepEqual(modules, ["/dist/duckdb-mvp.wasm"]);
  await context.close();
});

for (const [what, before] of [
  ["WebAssembly", () => delete window.WebAssembly],
  ["workers", () => delete window.Worker],
]) {
  test(`a browser without ${what} is told so`, async () => {
    spoil = () => ({});
    const { error, context } = await asked("/small/", { before });
    assert.equal(error.name, "UnsupportedError");
    assert.match(error.message, /this browser has no/);
    await context.close();
  });
}

for (const [what, path] of [
  ["worker's script", "/dist/worker.js"],
  ["DuckDB", "/dist/duckdb-eh.wasm"],
  ["module", "/dist/daybook_bg.wasm"],
]) {
  test(`a missing ${what} is a clear error`, async () => {
    spoil = (asked) => (asked === path ? { status: 404 } : {});
    const { error, context } = await asked("/small/");
    assert.equal(error?.name, "UnsupportedError", JSON.stringify(error));
    assert.match(error.message, /cannot be loaded/);
    await context.close();
  });
}
