import { defineConfig } from "vite";

export default defineConfig({
  // The page works under any path.
  base: "./",
  // The package finds its worker and its modules beside its own script, from where Vite's cache would move it.
  optimizeDeps: { exclude: ["@daybook/web"] },
  worker: { format: "es" },
  build: { target: "es2022" },
  // The package of this repository is outside of the example's folder.
  server: { fs: { allow: ["../.."] } },
});
