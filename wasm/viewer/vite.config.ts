import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Plugin, defineConfig } from "vite";

/** What the worker consists of; it finds the modules beside itself. */
const ENGINE = ["worker.js", "daybook_bg.wasm", "duckdb-eh.wasm", "duckdb-mvp.wasm"];

/** Puts the worker and its modules into one folder, named by their hash, so that hosts may cache them for ever. */
function engine(): Plugin {
  const files = ENGINE.map((name) => ({ name, bytes: readFileSync(new URL(`../web/dist/${name}`, import.meta.url)) }));
  const hash = createHash("sha256");
  for (const { bytes } of files) hash.update(bytes);
  const folder = `assets/engine-${hash.digest("hex").slice(0, 8)}`;
  return {
    name: "engine",
    config: () => ({ define: { WORKER: JSON.stringify(`${folder}/worker.js`) } }),
    // The package finds its worker beside itself; here the page says where it is.
    transform: {
      filter: { id: /web\/dist\/index\.js$/ },
      handler: (code) => code.replaceAll("import.meta.url", "document.baseURI"),
    },
    generateBundle() {
      for (const { name, bytes } of files) this.emitFile({ type: "asset", fileName: `${folder}/${name}`, source: bytes });
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [{ ...engine(), enforce: "pre" }],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: fileURLToPath(new URL("index.html", import.meta.url)) },
  },
});
