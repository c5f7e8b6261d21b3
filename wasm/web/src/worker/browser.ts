import { BROWSER_RUNTIME, VoidLogger, createDuckDB } from "duckdb-blocking";
import initialize from "../../pkg/daybook.js";
import type { ToWorker } from "../protocol.js";
import { serve } from "./serve.js";

/** DuckDB in the form that the browser runs: one of them needs WebAssembly's exceptions. */
async function duckdb() {
  // Bundlers look for such URLs, and put the files where the worker is.
  const bundles = {
    mvp: { mainModule: new URL("./duckdb-mvp.wasm", import.meta.url).href, mainWorker: "" },
    eh: { mainModule: new URL("./duckdb-eh.wasm", import.meta.url).href, mainWorker: "" },
  };
  const bindings = await createDuckDB(bundles, new VoidLogger(), BROWSER_RUNTIME);
  await bindings.instantiate(() => {});
  return bindings;
}

const ready = initialize({ module_or_path: new URL("./daybook_bg.wasm", import.meta.url) });
const heard = serve(
  { duckdb: async () => (await ready, duckdb()) },
  (message, transfer) => (self as unknown as Worker).postMessage(message, transfer),
);
self.onmessage = (event: MessageEvent<ToWorker>) => heard(event.data);
