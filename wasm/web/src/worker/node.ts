import { open, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parentPort } from "node:worker_threads";
import initialize from "../../pkg/daybook.js";
import type { ToWorker } from "../protocol.js";
import { serve } from "./serve.js";

const require = createRequire(import.meta.url);

async function duckdb(gate: Promise<void>) {
  const { NODE_RUNTIME, VoidLogger, createDuckDB } = require("@duckdb/duckdb-wasm/blocking") as typeof import("duckdb-blocking");
  const folder = dirname(require.resolve("@duckdb/duckdb-wasm/dist/duckdb-eh.wasm"));
  const bundles = {
    mvp: { mainModule: join(folder, "duckdb-mvp.wasm"), mainWorker: "" },
    eh: { mainModule: join(folder, "duckdb-eh.wasm"), mainWorker: "" },
  };
  const bindings = await createDuckDB(bundles, new VoidLogger(), NODE_RUNTIME);
  await gate;
  await bindings.instantiate(() => {});
  return bindings;
}

async function read(path: string, offset: number, length: number | null): Promise<Uint8Array> {
  if (length === null) return readFile(path);
  const file = await open(path);
  try {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const ready = readFile(new URL("./daybook_bg.wasm", import.meta.url)).then((module) => initialize({ module_or_path: module }));
const port = parentPort!;
const heard = serve({ ready, duckdb, read }, (message, transfer) => port.postMessage(message, transfer));
port.on("message", (message: ToWorker) => heard(message));
