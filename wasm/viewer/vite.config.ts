import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Plugin, defineConfig } from "vite";

/**
 * Puts the package as it is built, with its worker and modules beside it, into one folder that is named by its hash, so
 * that hosts may cache it for ever. The page imports it from there, and so shares with the worker what both need.
 */
function engine(): Plugin {
  const place = new URL("../web/dist/", import.meta.url);
  const isPart = (name: string) => /\.(js|wasm)$/.test(name) && !/node/.test(name);
  const files = readdirSync(place).filter(isPart).sort().map((name) => ({ name, bytes: readFileSync(new URL(name, place)) }));
  const hash = createHash("sha256");
  for (const { name, bytes } of files) hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  const folder = `engine-${hash.digest("hex").slice(0, 8)}`;
  return {
    name: "engine",
    enforce: "pre",
    apply: "build",
    resolveId: {
      filter: { id: /^@daybook\/web$/ },
      handler: () => ({ id: `./${folder}/index.js`, external: true }),
    },
    generateBundle() {
      for (const { name, bytes } of files) this.emitFile({ type: "asset", fileName: `assets/${folder}/${name}`, source: withoutMap(name, bytes) });
    },
  };
}

/** Source maps stay behind. */
function withoutMap(name: string, bytes: Buffer): Buffer | string {
  return name.endsWith(".js") ? bytes.toString("utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n") : bytes;
}

export default defineConfig({
  base: "./",
  plugins: [engine()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: fileURLToPath(new URL("index.html", import.meta.url)) },
  },
});
