import type { DuckDBBindings } from "duckdb-blocking";
import initialize from "../../pkg/daybook.js";
import { UnsupportedError } from "../errors.js";
import type { ToWorker } from "../protocol.js";
import { serve } from "./serve.js";

// Bundlers look for such URLs, and put the files where the worker is.
const MODULE = new URL("./daybook_bg.wasm", import.meta.url);
const BUNDLES = {
  mvp: { mainModule: new URL("./duckdb-mvp.wasm", import.meta.url).href, mainWorker: "" },
  eh: { mainModule: new URL("./duckdb-eh.wasm", import.meta.url).href, mainWorker: "" },
};

/** DuckDB in the form that the browser runs: one of them needs WebAssembly's exceptions. */
async function duckdb(gate: Promise<void>): Promise<DuckDBBindings> {
  const { BROWSER_RUNTIME, VoidLogger, createDuckDB } = await script;
  const bindings = await createDuckDB(BUNDLES, new VoidLogger(), BROWSER_RUNTIME);
  // DuckDB's own way says nothing of a file that is not there, and keeps browsers from caching compiled code.
  const failed = new Promise<never>((_, fail) => {
    bindings.instantiateWasm = (imports, succeed) => {
      globalThis.DUCKDB_RUNTIME = BROWSER_RUNTIME;
      instantiated(bindings.mainModuleURL, imports, gate).then(({ instance, module }) => succeed(instance, module)).catch(fail);
      return {};
    };
  });
  await Promise.race([bindings.instantiate(() => {}), failed]);
  return bindings;
}

async function instantiated(url: string, imports: WebAssembly.Imports, gate: Promise<void>): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const response = await fetched(url);
  const isTyped = response.headers.get("Content-Type") === "application/wasm";
  const module = await (isTyped ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer()));
  await gate;
  return { instance: await WebAssembly.instantiate(module, imports), module };
}

async function fetched(url: string | URL): Promise<Response> {
  const name = new URL(url).pathname.split("/").at(-1)!;
  const response = await fetch(url, { credentials: "same-origin" }).catch((error: Error) => Promise.reject(unloaded(name, error.message)));
  if (!response.ok) throw unloaded(name, `the server answers ${response.status}`);
  return response;
}

function unloaded(name: string, why: string): UnsupportedError {
  return new UnsupportedError("unsupported", `the file \`${name}\` cannot be loaded: ${why}`, "all files of the package's `dist` must be on the server");
}

const ready = fetched(MODULE).then((response) => initialize({ module_or_path: response }));
// DuckDB's script is long: our own module is fetched and compiled while it is read.
const script = import("duckdb-blocking").catch((error: Error) => Promise.reject(unloaded("duckdb.js", error.message)));
// They are told by the first call that needs them.
ready.catch(() => {});
script.catch(() => {});
const heard = serve(
  { ready, duckdb },
  (message, transfer) => (self as unknown as Worker).postMessage(message, transfer),
);
self.onmessage = (event: MessageEvent<ToWorker>) => heard(event.data);
