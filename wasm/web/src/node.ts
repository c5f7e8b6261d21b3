/** Daybook in Node: the same calls, over a bundle in a folder or at an address. */
import { Worker } from "node:worker_threads";
import type { CallOptions, Port } from "./calls.js";
import { Daybook as Client, ingest, open } from "./client.js";
import type { FromWorker, OpenOptions } from "./protocol.js";

export * from "./errors.js";
export type { CallOptions } from "./calls.js";
export type { AskOptions, ExportFormat, ExportOptions, SearchOptions, SelectOptions } from "./client.js";
export type { About, Counters, Grid, OpenOptions, Order, Progress } from "./protocol.js";
export type * from "./reports.js";
export type { PageOptions, Selection } from "./selection.js";
export type Daybook = Client;

function port(): Port {
  const one = new Worker(new URL("./worker-node.js", import.meta.url));
  return {
    post: (message, transfer) => one.postMessage(message, transfer as never),
    listen: (heard, failed) => {
      one.on("message", (message: FromWorker) => heard(message));
      one.on("error", (error: Error) => failed(error));
    },
    terminate: () => void one.terminate(),
  };
}

export const Daybook = {
  /** Opens a bundle by its folder, or by its address. */
  open(place: string | URL, options: OpenOptions & CallOptions = {}): Promise<Client> {
    const text = place.toString();
    return open(port, /^https?:/.test(text) ? { url: text } : { folder: text }, options);
  },
  /** Reads a log file's bytes, of any format. */
  ingest(
    file: File | Uint8Array,
    options: OpenOptions & CallOptions & { name?: string; format?: string } = {},
  ): Promise<Client> {
    return ingest(port, file, options);
  },
};
