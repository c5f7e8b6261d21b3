/** Daybook in a page: bundles of events, and log files, asked with no server and no network. */
import type { CallOptions, Port } from "./calls.js";
import { Daybook as Client, ingest, open } from "./client.js";
import { UnsupportedError } from "./errors.js";
import type { FromWorker, OpenOptions } from "./protocol.js";

export * from "./errors.js";
export type { CallOptions } from "./calls.js";
export type { AskOptions, ExportFormat, ExportOptions, SearchOptions, SelectOptions } from "./client.js";
export type { About, Counters, Grid, OpenOptions, Order, Progress } from "./protocol.js";
export type * from "./reports.js";
export type { PageOptions, Selection } from "./selection.js";
export type Daybook = Client;

export interface BrowserOptions extends OpenOptions, CallOptions {
  /** Where the worker's script is; beside this one unless told. */
  worker?: string | URL;
}

function port(worker: string | URL | undefined): () => Port {
  return () => {
    if (typeof WebAssembly === "undefined" || typeof Worker === "undefined") {
      throw new UnsupportedError("unsupported", "this browser has no WebAssembly or no workers", "use a newer browser");
    }
    // Bundlers look for this very form.
    const own = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const one = worker === undefined ? own() : new Worker(worker, { type: "module" });
    return {
      post: (message, transfer) => one.postMessage(message, transfer),
      listen: (heard, failed) => {
        one.onmessage = (event: MessageEvent<FromWorker>) => heard(event.data);
        one.onerror = (event) => failed(new Error(event.message || "its script cannot be loaded"));
      },
      terminate: () => one.terminate(),
    };
  };
}

export const Daybook = {
  /** Opens a bundle by its address, which may be relative to the page, or by files that the user chose. */
  open(place: string | URL | Iterable<File>, options: BrowserOptions = {}): Promise<Client> {
    const { worker, ...rest } = options;
    if (typeof place === "string" || place instanceof URL) {
      const url = new URL(place, document.baseURI);
      return open(port(worker), { url: url.href }, rest);
    }
    const files = [...place].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
    return open(port(worker), { files }, rest);
  },
  /** Reads a log file that the user chose, of any format; it stays in the page. */
  ingest(file: File | Uint8Array, options: BrowserOptions & { name?: string; format?: string } = {}): Promise<Client> {
    const { worker, ...rest } = options;
    return ingest(port(worker), file, rest);
  },
};
