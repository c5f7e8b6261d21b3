// Builds the package: JavaScript with source maps by esbuild, types by tsc, and the wasm files beside them.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const duckdb = dirname(require.resolve("@duckdb/duckdb-wasm/dist/duckdb-eh.wasm"));
const dist = (name) => join(here, "dist", name);

if (!existsSync(join(here, "pkg/daybook_bg.wasm"))) {
  throw new Error("there is no wasm module: run wasm/build first");
}
rmSync(dist(""), { recursive: true, force: true });
mkdirSync(dist(""), { recursive: true });

const common = { absWorkingDir: here, bundle: true, format: "esm", sourcemap: true, target: "es2022", logLevel: "warning" };
const browser = { ...common, platform: "browser", minify: true };
const node = { ...common, platform: "node", external: ["@duckdb/duckdb-wasm", "apache-arrow"] };
// DuckDB's JavaScript is a file of its own beside the worker's.
const duckdbApart = {
  name: "duckdb-apart",
  setup: (build) => build.onResolve({ filter: /^duckdb-blocking$/ }, () => ({ path: "./duckdb.js", external: true })),
};
await Promise.all([
  // The page and the worker share what reads Arrow.
  build({ ...browser, entryPoints: { index: "src/index.ts", worker: "src/worker/browser.ts" }, outdir: dist(""), splitting: true, chunkNames: "shared-[hash]", plugins: [duckdbApart] }),
  build({ ...browser, entryPoints: [join(duckdb, "duckdb-browser-blocking.mjs")], outfile: dist("duckdb.js"), sourcemap: false }),
  build({ ...node, entryPoints: ["src/node.ts"], outfile: dist("node.js") }),
  build({ ...node, entryPoints: ["src/worker/node.ts"], outfile: dist("worker-node.js") }),
]);
for (const name of ["duckdb-eh.wasm", "duckdb-mvp.wasm"]) copyFileSync(join(duckdb, name), dist(name));
copyFileSync(join(here, "pkg/daybook_bg.wasm"), dist("daybook_bg.wasm"));
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(join(here, "../..", name), dist(name));
copyFileSync(join(dirname(require.resolve("apache-arrow")), "LICENSE.txt"), dist("LICENSE-apache-arrow"));
if (!process.argv.includes("--no-types")) {
  execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", join(here, "tsconfig.types.json")], { stdio: "inherit" });
}
