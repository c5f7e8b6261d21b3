// The package in headless Chromium, all from this machine: decoding against parquet-wasm in the same page, the bytes that a
// question about one day fetches, and how long it takes until a page has something to show.
//
//   node tests/bench/web.mjs PROGRAM FOLDER
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";

const [program, work] = process.argv.slice(2);
if (!work) throw new Error("usage: node tests/bench/web.mjs PROGRAM FOLDER");
process.env.DAYBOOK_PROGRAM = resolve(program);
const { root } = await import("../../wasm/tests/support.mjs");
const { start } = await import("../../wasm/tests/chromium.mjs");
const ROUNDS = Number(process.env.ROUNDS ?? 7);
mkdirSync(work, { recursive: true });

const run = (...words) => execFileSync(resolve(program), words, { stdio: ["ignore", "ignore", "ignore"] });
const place = (name) => join(resolve(work), name);
const median = (times) => times.toSorted((one, other) => one - other)[times.length >> 1];
const ms = (time) => `${time.toFixed(0)} ms`;

/** A bundle that is made once. */
function bundle(name, ...words) {
  if (!existsSync(join(place(name), "manifest.json"))) run("export", "--bundle", place(name), "--no-viewer", ...words);
  return place(name);
}

function stores() {
  if (!existsSync(place("demo"))) run("demo", "--events", "1000000", "--until", "2026-06-30", "--store", place("demo"));
  if (existsSync(place("day"))) return;
  let state = 7;
  const next = (most) => (state = (state * 48_271) % 2_147_483_647) % most;
  const lines = Array.from({ length: 200_000 }, (_, n) => JSON.stringify({
    ts: new Date(Date.UTC(2026, 1, 3) + n * 400).toISOString(),
    level: ["info", "info", "info", "warn", "error"][next(5)],
    source: `service-${next(12)}`,
    kind: `kind_${next(40)}`,
    actor: `user${next(5_000)}@shop.example`,
    session: next(2 ** 31).toString(16),
    duration_ms: next(100_000) / 10,
    message: `request ${next(10_000)} for ${["cart", "order", "search"][next(3)]} took ${next(900)} ms`,
    http: { status: [200, 200, 404, 500][next(4)], path: `/shop/${next(900)}`, bytes: next(90_000) },
  }));
  writeFileSync(place("day.jsonl"), lines.join("\n"));
  run("ingest", place("day.jsonl"), "--store", place("day"));
}

stores();
const folders = {
  million: bundle("million", "--store", place("demo")),
  ninety: bundle("ninety", "--store", place("demo"), "--days", "2026-04-02..2026-06-30"),
  oneday: bundle("oneday", "--store", place("day")),
  pkg: join(root, "wasm/web/pkg"),
  peer: join(root, "wasm/web/node_modules/parquet-wasm/esm"),
};
const { visit, close } = await start(folders);

async function decoding() {
  const { page, context } = await visit();
  const [ours, theirs, rows, bytes] = await page.evaluate(async (rounds) => {
    const { default: initialize, Events, Decoder } = await import("/pkg/daybook.js");
    await initialize({ module_or_path: "/pkg/daybook_bg.wasm" });
    const peer = await import("/peer/parquet_wasm.js");
    await peer.default({ module_or_path: "/peer/parquet_wasm_bg.wasm" });
    const fetched = async (path) => new Uint8Array(await (await fetch(`/oneday/${path}`)).arrayBuffer());
    const events = Events.bundle(await fetched("manifest.json"));
    const { files } = JSON.parse(events.about());
    const whole = await fetched(files[0].path);
    let rows = 0;
    const [offset, length] = files[0].footer;
    events.footer(0, whole.slice(offset, offset + length));
    // The columns that the file has; the table has more, which are null in it.
    const has = (name) => JSON.parse(events.places(0, [0], events.neededFor([name]))).length > 0;
    const columns = JSON.parse(events.columns()).map(({ name }) => name).filter(has);
    const ours = async () => {
      events.footer(0, whole.slice(offset, offset + length));
      const needed = events.neededFor(columns);
      const groups = events.groups(0, needed).filter((_, at) => at % 2 === 0);
      const chunks = JSON.parse(events.places(0, groups, needed)).map(({ offset, length }) => whole.subarray(offset, offset + length));
      const decoder = new Decoder();
      // As the package does it.
      const digests = await Promise.all(chunks.map((chunk) => crypto.subtle.digest("SHA-256", chunk)));
      decoder.add(events, 0, groups, needed, chunks, digests.map((digest) => new Uint8Array(digest)));
      rows = decoder.rows();
      const stream = decoder.take();
      decoder.free();
      return stream;
    };
    const theirs = () => peer.readParquet(whole).intoIPCStream();
    const times = [[], []];
    for (let round = 0; round <= rounds; round++) {
      for (const [at, decode] of [ours, theirs].entries()) {
        const started = performance.now();
        if ((await decode()).length === 0) throw new Error("nothing was decoded");
        // The first round makes the modules warm.
        if (round > 0) times[at].push(performance.now() - started);
      }
    }
    return [...times, rows, whole.length];
  }, ROUNDS);
  await context.close();
  console.log(`decode a file of ${rows} events to Arrow, all columns, ${(bytes / 1e6).toFixed(1)} MB, hashes checked`);
  console.log(`  daybook ${ms(median(ours))}, parquet-wasm 0.8.0 ${ms(median(theirs))}: ratio ${(median(theirs) / median(ours)).toFixed(2)}`);
}

async function fetching() {
  const { page, context } = await visit();
  const { counters, about } = await page.evaluate(async () => {
    const store = await window.Daybook.open("/ninety/");
    const day = store.about.files[45].day;
    await store.ask({ analysis: "search", filter: `severity>=error ts>=${day} ts<${day}T23:59:59`, limit: 100 });
    return { counters: await store.counters(), about: store.about };
  });
  await context.close();
  const manifest = statSync(join(folders.ninety, "manifest.json")).size;
  console.log(`errors of one day of 90, in a bundle of ${about.events} events, ${(about.bytes / 1e6).toFixed(1)} MB`);
  console.log(`  ${counters.bytesFetched} bytes in ${counters.requests} requests, ${manifest} of them the manifest: ${((100 * counters.bytesFetched) / about.bytes).toFixed(2)} %`);
}

async function showing() {
  const context = await (await visit()).context;
  const shown = async () => {
    const { page } = await visit({ context });
    const times = await page.evaluate(async () => {
      const started = performance.now();
      const store = await window.Daybook.open("/million/");
      const opened = performance.now() - started;
      const [timeline, selection] = await Promise.all([store.timeline({ by: "level" }), store.select()]);
      const page = await selection.page(0, 100, { columns: ["ts", "severity", "source", "kind", "message"] });
      if (timeline.total !== selection.length || page.numRows !== 100) throw new Error("not all is there");
      const first = performance.now() - started;
      const timed = async (work) => {
        const started = performance.now();
        await work();
        return performance.now() - started;
      };
      await store.facets({ by: ["source", "kind", "level", "actor"] });
      const filter = "severity>=warn";
      const after = {
        timeline: await timed(() => store.timeline({ by: "level", filter })),
        facets: await timed(() => store.facets({ by: ["source", "kind", "level", "actor"], filter })),
        select: await timed(() => store.select({ filter })),
        page: await timed(() => selection.page(500_000, 100, { columns: ["ts", "severity", "message"] })),
      };
      const { duckdbStartMs, requests, bytesFetched } = await store.counters();
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      store.close();
      return { opened, first, after, duckdbStartMs, requests, bytesFetched };
    });
    await page.close();
    return times;
  };
  console.log("a bundle of a million events in 365 files: histogram and first 100 rows");
  for (const visit of ["cold", "warm"]) {
    const { opened, first, after, duckdbStartMs, requests, bytesFetched } = await shown();
    console.log(`  ${visit}: ${ms(first)}, of which DuckDB's start ${ms(duckdbStartMs)} (open ${ms(opened)}); ${requests} requests, ${(bytesFetched / 1e6).toFixed(1)} MB`);
    console.log(`  ${visit}, then a changed filter: ${Object.entries(after).map(([name, time]) => `${name} ${ms(time)}`).join(", ")}`);
  }
  await context.close();
}

await decoding();
await fetching();
await showing();
await close();
