// The package as others use it: with Vite, with esbuild, with neither; its types; and what is in it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { start } from "./chromium.mjs";
import { bundleOf, folder, root } from "./support.mjs";

const web = join(root, "wasm/web");
const example = join(root, "wasm/examples/vite");
const require = createRequire(join(web, "package.json"));
/** A site of each kind, which has the bundle in `logs`. */
const sites = Object.fromEntries(["vite", "esbuild", "plain"].map((kind) => [kind, folder(`site-${kind}`)]));
const COUNTING = `
  import { Daybook } from "@daybook/web";
  const store = await Daybook.open("logs/");
  const rows = (await store.sql("SELECT count(*)::INTEGER AS n FROM events")).toArray();
  document.body.textContent = String(rows[0].n);
  document.body.dataset.ready = "yes";
`;
let chromium, bundle, events;

before(async () => {
  bundle = bundleOf("package", join(root, "tests/conformance/basics/events.jsonl"));
  events = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8")).events;
  for (const site of Object.values(sites)) {
    mkdirSync(site, { recursive: true });
    cpSync(bundle, join(site, "logs"), { recursive: true });
  }
  chromium = await start(sites);
});
after(() => chromium?.close());

const page = (script) => `<!doctype html><title>A page</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script><body></body>`;

async function shown(path) {
  const { page, context, faults } = await chromium.visit({ path });
  const text = await page.textContent("body");
  assert.deepEqual(faults, []);
  await context.close();
  return text;
}

test("a page without a bundler uses it", async () => {
  cpSync(join(web, "dist"), join(sites.plain, "daybook"), { recursive: true });
  writeFileSync(join(sites.plain, "page.js"), COUNTING.replace("@daybook/web", "./daybook/index.js"));
  writeFileSync(join(sites.plain, "index.html"), page("page.js"));
  assert.equal(await shown("/plain/index.html"), String(events));
});

test("a page that esbuild bundled uses it", async () => {
  const source = folder("esbuild-source");
  mkdirSync(join(source, "node_modules/@daybook"), { recursive: true });
  symlinkSync(web, join(source, "node_modules/@daybook/web"));
  writeFileSync(join(source, "page.js"), COUNTING);
  const { build } = require("esbuild");
  await build({ entryPoints: [join(source, "page.js")], bundle: true, format: "esm", target: "es2022", minify: true, outdir: sites.esbuild, logLevel: "error" });
  for (const name of readdirSync(join(web, "dist"))) if (/^(worker|duckdb|shared-.*)\.js$|\.wasm$/.test(name)) cpSync(join(web, "dist", name), join(sites.esbuild, name));
  writeFileSync(join(sites.esbuild, "index.html"), page("page.js"));
  assert.equal(await shown("/esbuild/index.html"), String(events));
});

test("the example, built by Vite, works below any path and follows the filter", async () => {
  const { build } = await import(pathToFileURL(createRequire(join(example, "package.json")).resolve("vite")));
  await build({ root: example, logLevel: "error", build: { outDir: sites.vite, emptyOutDir: false } });
  const { page, context, faults } = await chromium.visit({ path: "/vite/index.html" });
  const output = () => page.textContent("output");
  await page.fill("input", "kind:deploy");
  await page.waitForFunction(() => /^\d+ of \d+ events$/.test(document.querySelector("output").textContent));
  assert.match(await output(), new RegExp(` of ${events} events$`));
  await page.fill("input", "kind:(");
  await page.waitForFunction(() => document.querySelector("output").textContent.includes("^"));
  await page.fill("input", "");
  await page.waitForFunction((all) => document.querySelector("output").textContent === `${all} of ${all} events`, events);
  assert.ok((await page.locator("li").count()) > 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test("the example runs on Vite's development server", async () => {
  const { createServer } = await import(pathToFileURL(createRequire(join(example, "package.json")).resolve("vite")));
  const server = await createServer({ root: example, publicDir: sites.plain, logLevel: "error", cacheDir: folder("vite-cache"), server: { port: 0, host: "127.0.0.1", hmr: false } });
  await server.listen();
  try {
    const { page, context } = await chromium.visit({ origin: `http://127.0.0.1:${server.httpServer.address().port}`, path: "/" });
    assert.match(await page.textContent("output"), new RegExp(` of ${events} events$`));
    await context.close();
  } finally {
    await server.close();
  }
});

for (const [module, moduleResolution] of [["ES2022", "bundler"], ["NodeNext", "NodeNext"]]) {
  test(`its types are right for strict TypeScript that resolves as ${moduleResolution}`, () => {
    const place = folder(`types-${moduleResolution}`);
    mkdirSync(join(place, "node_modules/@daybook"), { recursive: true });
    symlinkSync(web, join(place, "node_modules/@daybook/web"));
    const compilerOptions = { target: "ES2022", module, moduleResolution, strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: true, types: [], lib: ["ES2023", "DOM", "DOM.Iterable"] };
    writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    writeFileSync(join(place, "package.json"), '{"type": "module"}');
    cpSync(join(root, "wasm/tests/page/types.ts"), join(place, "types.ts"));
    const tsc = (...words) => execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", place, ...words], { encoding: "utf8" });
    try {
      tsc();
    } catch (error) {
      assert.fail(error.stdout);
    }
  });
}

test("what is published is what a page needs, and nothing else", () => {
  const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: web, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  const names = files.map(({ path }) => path).sort();
  const types = ["calls", "client", "errors", "index", "node", "protocol", "reports", "selection"].map((name) => `dist/${name}.d.ts`);
  const shared = readdirSync(join(web, "dist")).filter((name) => name.startsWith("shared-")).map((name) => name.replace(/\.js(\.map)?$/, ""));
  const scripts = [...new Set(shared), "index", "node", "worker", "worker-node"].flatMap((name) => [`dist/${name}.js`, `dist/${name}.js.map`]);
  const modules = ["daybook_bg", "duckdb-eh", "duckdb-mvp"].map((name) => `dist/${name}.wasm`);
  const licenses = ["APACHE", "MIT", "apache-arrow"].map((name) => `dist/LICENSE-${name}`);
  assert.deepEqual(names, ["README.md", "dist/duckdb.js", "package.json", ...licenses, ...modules, ...scripts, ...types].sort());
  const { exports } = JSON.parse(readFileSync(join(web, "package.json"), "utf8"));
  const targets = JSON.stringify(exports["."]).match(/\.\/dist\/[a-z.]+/g);
  for (const target of targets) assert.ok(existsSync(join(web, target)), target);
  for (const name of scripts.filter((name) => name.endsWith(".map"))) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(web, name), "utf8"));
    // Apache Arrow's own maps name sources that it does not publish.
    const isHere = sources.map((source, at) => source.includes("node_modules") || typeof sourcesContent[at] === "string");
    assert.ok(isHere.length > 0 && isHere.every(Boolean), name);
  }
});
