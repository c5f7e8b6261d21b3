import { BROWSER_RUNTIME, VoidLogger, createDuckDB } from "duckdb-blocking";
import initialize from "../../pkg/daybook.js";
import type { ToWorker } from "../protocol.js";
import { serve } from "./serve.js";

const beside = (name: string) => new URL(`./${name}`, import.meta.url).href;

/** Our module, and DuckDB in the form that the browser runs. */
async function duckdb() {
  const bundles = {
    mvp: { mainModule: beside("duckdb-mvp.wasm"), mainWorker: "" },
    eh: { mainModule: beside("duckdb-eh.wasm"), mainWorker: "" },
  };
  const bindings = await createDuckDB(bundles, new VoidLogger(), BROWSER_RUNTIME);
  await bindings.instantiate(() => {});
  return bindings;
}

const ready = initialize({ module_or_path: beside("daybook_bg.wasm") });
const heard = serve(
  { duckdb: async () => (await ready, duckdb()) },
  (message, transfer) => (self as unknown as Worker).postMessage(message, transfer),
);
self.onmessage = (event: MessageEvent<ToWorker>) => heard(event.data);
