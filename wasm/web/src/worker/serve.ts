import { type PlainError, errorOf, plainOf } from "../errors.js";
import type { Call, FromWorker, ToWorker } from "../protocol.js";
import { Engine, type Platform, type Work } from "./engine.js";

/** Answers calls. They fetch side by side; DuckDB is for one at a time. */
export function serve(platform: Platform, post: (message: FromWorker, transfer: ArrayBuffer[]) => void): (message: ToWorker) => void {
  const engine = new Engine(platform);
  const stops = new Map<number, AbortController>();
  let broken: PlainError | undefined;
  /** What opens the events; what is asked of them comes after it. */
  let opened: Promise<unknown> = Promise.resolve();
  const begin = async (id: number, call: Call): Promise<void> => {
    const stop = new AbortController();
    stops.set(id, stop);
    const work: Work = {
      signal: stop.signal,
      progress: (progress) => post({ id, progress }, []),
      rows: (rows) => post({ id, rows }, [rows.buffer as ArrayBuffer]),
    };
    try {
      if (broken) throw errorOf(broken);
      const opens = call.method === "open" || call.method === "dropped";
      if (opens) opened = answer(engine, call, work);
      const about = await opened;
      const done = opens ? about : await answer(engine, call, work);
      post({ id, done }, done instanceof Uint8Array || done instanceof Float64Array ? [done.buffer as ArrayBuffer] : []);
    } catch (error) {
      const plain = plainOf(error);
      // A module that stopped midway cannot be used again.
      if (error instanceof WebAssembly.RuntimeError) broken = plain;
      post({ id, error: plain }, []);
    } finally {
      stops.delete(id);
    }
  };
  return (message) => {
    if ("abort" in message) stops.get(message.id)?.abort();
    else void begin(message.id, message.call);
  };
}

async function answer(engine: Engine, call: Call, work: Work): Promise<unknown> {
  switch (call.method) {
    case "open":
      return engine.open(call.place, call.options, work);
    case "dropped":
      return engine.dropped(call.file, call.name, call.format, call.options, work);
    case "sql":
      return engine.sql(call.sql, call.parameters, work);
    case "matching":
      return engine.matching(call.filter, call.lenient, call.limit, call.columns, work);
    case "select":
      return engine.select(call.filter, call.lenient, call.order, work);
    case "buckets":
      return engine.buckets(call.filter, call.lenient, call.grid, work);
    case "page":
      return engine.page(call.selection, call.from, call.count, call.columns, work);
    case "index":
      return engine.selections.index(call.selection, call.seq);
    case "release":
      return engine.selections.release(call.selection);
    case "ask":
      return engine.ask(call.request, call.lenient, work, false);
    case "search":
      return engine.ask(call.request, call.lenient, work, true);
    case "prefetch":
      return engine.prefetch(call.columns, work);
    case "condition":
      return engine.condition(call.filter);
    case "encode":
      return engine.encode(call.format, call.stream);
    case "verify":
      return engine.verify(work);
    case "counters":
      return engine.counters;
  }
}
