import type { PlainError } from "./errors.js";

/** How far a call is. */
export interface Progress {
  /** What is being done. */
  step: "open" | "fetch" | "decode" | "query";
  /** Bytes that were fetched, or files that were decoded. */
  done: number;
  /** Of how many. */
  total: number;
}

/** Where events are. */
export type Place =
  | { url: string }
  | { files: { path: string; file: File }[] }
  | { folder: string };

export interface OpenOptions {
  /** Bytes that a query may load; 1 GiB unless told. */
  memoryLimit?: number;
  /** Bytes of fetched ranges that are kept in memory; 128 MiB unless told. */
  cacheLimit?: number;
  /** Whether ranges are kept across visits, where the browser can; true unless told. */
  persist?: boolean;
  /**
   * Whether the first things that a page shows are answered before DuckDB has been started: `buckets` and `select` of all events
   * by time, and the first pages of it. That they are there at once costs what they take of memory.
   */
  glance?: boolean;
  /** Milliseconds after which a request that gives nothing is given up; 30,000 unless told. */
  timeout?: number;
}

/** A file of a bundle, and where in it its footer is: the place and the length. */
export interface BundleFile {
  path: string;
  size: number;
  rows: number;
  footer: [number, number];
}

export interface About {
  title: string;
  created?: string;
  filter?: string;
  events: number;
  bytes?: number;
  format?: string;
  records?: number;
  quarantined?: number;
  /** Why records could not be read, the first ones: the place in bytes and the reason. */
  reasons?: [number, string][];
  redacted?: boolean;
  source?: { table: string; version: number; head: string };
  files: (BundleFile & { day: string })[];
  /** Some columns of many small files once more, together. */
  copies: BundleFile[];
  /** The first and the last instant of the events, in microseconds since 1970; null if there are none. */
  span: [number, number] | null;
  columns: { name: string; path: string[] | null; type: string }[];
}

/** An order of events; those that are alike in it are in the order of time. */
export interface Order {
  /** The column; `ts` unless told. */
  column?: string;
  /** Whether the largest comes first. */
  descending?: boolean;
}

/** Equal stretches of time, in milliseconds: where the first begins, how long each is, and how many there are. */
export interface Grid {
  origin: number;
  step: number;
  count: number;
}

/** How much was fetched and loaded so far. */
export interface Counters {
  requests: number;
  bytesFetched: number;
  bytesFromCache: number;
  /** Bytes that were kept for the next visit. */
  bytesStored: number;
  duckdbStartMs: number;
  hasRanges: boolean | null;
}

export type Call =
  | { method: "open"; place: Place; options: OpenOptions }
  | { method: "dropped"; file: File | Uint8Array; name: string; format: string; options: OpenOptions }
  | { method: "sql"; sql: string; parameters: Record<string, unknown> }
  | { method: "matching"; filter: string; lenient: boolean; limit: number | null; columns: string[] | null }
  | { method: "select"; filter: string; lenient: boolean; order: Order }
  | { method: "buckets"; filter: string; lenient: boolean; grid: Grid }
  | { method: "page"; selection: number; from: number; count: number; columns: string[] | null }
  | { method: "index"; selection: number; seq: bigint }
  | { method: "release"; selection: number }
  | { method: "ask"; request: unknown; lenient: boolean }
  | { method: "search"; request: unknown; lenient: boolean }
  | { method: "prefetch"; columns: string[] }
  | { method: "condition"; filter: string }
  | { method: "encode"; format: string; stream: Uint8Array }
  | { method: "verify" }
  | { method: "counters" };

export type ToWorker = { id: number; call: Call } | { id: number; abort: true };

export type FromWorker =
  | { id: number; done: unknown }
  | { id: number; rows: Uint8Array }
  | { id: number; progress: Progress }
  | { id: number; error: PlainError };
