// Builds the package: JavaScript with source maps by esbuild, types by tsc, and the wasm files beside them.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const duckdb = dirname(require.resolve("@duckdb/duckdb-wasm/dist/duckdb-eh.wasm"));

if (!existsSync(join(here, "pkg/daybook_bg.wasm"))) {
  throw new Error("there is no wasm module: run wasm/build first");
}
mkdirSync(join(here, "dist"), { recursive: true });
const alias = { "duckdb-blocking": join(duckdb, "duckdb-browser-blocking.mjs") };
const common = { absWorkingDir: here, alias, bundle: true, format: "esm", sourcemap: true, target: "es2022", logLevel: "warning" };
await build({ ...common, entryPoints: ["src/index.ts"], outfile: "dist/index.js", minify: true, platform: "browser" });
await build({ ...common, entryPoints: ["src/worker/browser.ts"], outfile: "dist/worker.js", minify: true, platform: "browser" });
await build({ ...common, entryPoints: ["src/node.ts"], outfile: "dist/node.js", platform: "node", external: ["apache-arrow"] });
await build({
  ...common,
  entryPoints: ["src/worker/node.ts"],
  outfile: "dist/worker-node.js",
  platform: "node",
  external: ["@duckdb/duckdb-wasm", "apache-arrow"],
});
for (const name of ["duckdb-eh.wasm", "duckdb-mvp.wasm"]) copyFileSync(join(duckdb, name), join(here, "dist", name));
copyFileSync(join(here, "pkg/daybook_bg.wasm"), join(here, "dist/daybook_bg.wasm"));
if (!process.argv.includes("--no-types")) {
  execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", here], { stdio: "inherit" });
}
