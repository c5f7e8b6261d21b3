import { type Table, tableFromIPC } from "apache-arrow";
import { type CallOptions, Calls, type Port } from "./calls.js";
import type { About, Call, Counters, Grid, OpenOptions, Order, Place } from "./protocol.js";
import type { AuditReport, FacetsReport, HistoryReport, PatternsReport, StatsReport, TimelineReport } from "./reports.js";
import { Selection } from "./selection.js";

export interface AskOptions extends CallOptions {
  /** A filter of the grammar, such as `severity>=error last:24h`. */
  filter?: string;
  /** Whether a field that no event has matches nothing; otherwise it is an error. */
  lenient?: boolean;
}

export interface SelectOptions extends AskOptions {
  /** The newest first unless told. */
  order?: Order;
}

export interface SearchOptions extends AskOptions {
  /** At most so many events; 100 unless told. */
  limit?: number;
  /** The columns, by name or path; all unless told. */
  columns?: string[];
}

export type ExportFormat = "parquet" | "arrow" | "csv" | "jsonl" | "json" | "markdown";

export interface ExportOptions extends SearchOptions {
  /** A query whose rows are exported in place of events. */
  sql?: string;
  /** Its parameters. */
  parameters?: Record<string, unknown>;
}

/** Events in a page: those of a bundle, or of a log file. One worker holds them, and a DuckDB that reaches nothing. */
export class Daybook {
  private isClosed = false;

  private constructor(
    private readonly calls: Calls,
    private readonly makePort: () => Port,
    private readonly options: OpenOptions,
    /** What there is. */
    readonly about: About,
  ) {}

  /** @internal */
  static async start(makePort: () => Port, call: Call, options: OpenOptions & CallOptions): Promise<Daybook> {
    const calls = new Calls(makePort, call);
    try {
      const { signal: _signal, onProgress: _onProgress, ...limits } = options;
      return new Daybook(calls, makePort, limits, await calls.call<About>(call, options));
    } catch (error) {
      calls.close();
      throw error;
    }
  }

  /** Runs one statement that reads, of `events`. `$name` in it takes the parameter of that name. */
  async sql(sql: string, options: CallOptions & { parameters?: Record<string, unknown> } = {}): Promise<Table> {
    const stream = await this.calls.call<Uint8Array>({ method: "sql", sql, parameters: options.parameters ?? {} }, options);
    return tableFromIPC(stream);
  }

  /** The events that match, in an order; their rows come by pages, so that a table of any length can be scrolled. */
  async select(options: SelectOptions = {}): Promise<Selection> {
    const { filter = "", lenient = false, order = { column: "ts", descending: true } } = options;
    const call: Call = { method: "select", filter, lenient, order };
    return Selection.make(this.calls, call, options);
  }

  /** The newest events that match, the newest first, as they are found. */
  async *search(filter = "", options: SearchOptions = {}): AsyncGenerator<Table, void, undefined> {
    const { limit, columns, lenient } = options;
    const request = { analysis: "search", filter, ...(limit === undefined ? {} : { limit }), ...(columns ? { columns } : {}) };
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const ready: Uint8Array[] = [];
    let wake = () => {};
    let ended: { error?: unknown } | undefined;
    const call: Call = { method: "search", request, lenient: lenient ?? false };
    this.calls
      .call(call, { ...options, signal }, (rows) => (ready.push(rows), wake()))
      .then(() => (ended = {}), (error: unknown) => (ended = { error }))
      .finally(() => wake());
    try {
      for (;;) {
        const rows = ready.shift();
        if (rows) yield tableFromIPC(rows);
        else if (ended) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      if (ended?.error) throw ended.error;
    } finally {
      stop.abort();
    }
  }

  /** Answers any analysis, in the JSON form that every binding has: `{analysis: "stats", filter: ...}`. */
  ask<T = unknown>(request: { analysis: string; [key: string]: unknown }, options: AskOptions = {}): Promise<T> {
    const filter = options.filter === undefined ? {} : { filter: options.filter };
    const call: Call = { method: "ask", request: { ...request, ...filter }, lenient: options.lenient ?? false };
    return this.calls.call<T>(call, options);
  }

  /** A filter as a condition in SQL, of `events`; what is wrong with it is an error. */
  condition(filter: string, options: CallOptions = {}): Promise<string> {
    return this.calls.call({ method: "condition", filter }, options);
  }

  /**
   * Loads columns of all events before somebody asks about them, if that is little; says whether they are there. Whatever is asked
   * meanwhile ends it with an {@link AbortedError}.
   */
  prefetch(columns: string[], options: CallOptions = {}): Promise<boolean> {
    return this.calls.call({ method: "prefetch", columns }, options);
  }

  /** Numbers over all events that match. */
  stats(options: AskOptions = {}): Promise<StatsReport> {
    return this.ask({ analysis: "stats" }, options);
  }

  /** Events counted over time. */
  timeline(options: AskOptions & { by?: string; every?: string; limit?: number } = {}): Promise<TimelineReport> {
    const { by, every, limit } = options;
    return this.ask(request("timeline", { by, every, limit }), options);
  }

  /** How many events of each band of severity (none, trace to critical) are in stretches of time: those of the first band, then of the next. */
  buckets(grid: Grid, options: AskOptions = {}): Promise<Float64Array> {
    const { filter = "", lenient = false } = options;
    return this.calls.call({ method: "buckets", filter, lenient, grid }, options);
  }

  /** The most frequent values of columns. */
  facets(options: AskOptions & { by: string[]; limit?: number }): Promise<FacetsReport> {
    return this.ask(request("facets", { by: options.by, limit: options.limit }), options);
  }

  /** What is usual and what is not. */
  patterns(options: AskOptions = {}): Promise<PatternsReport> {
    return this.ask({ analysis: "patterns" }, options);
  }

  /** What happened to an entity. */
  history(options: AskOptions & { entityType: string; entityId: string }): Promise<HistoryReport> {
    return this.ask({ analysis: "history", entity_type: options.entityType, entity_id: options.entityId }, options);
  }

  /** The audit report of a period. */
  audit(options: AskOptions & { from: string; until: string }): Promise<AuditReport> {
    return this.ask({ analysis: "audit", from: options.from, until: options.until }, options);
  }

  /** A log file that the user chose, as events of their own, beside these; it stays in the page. */
  ingest(file: File | Uint8Array, options: CallOptions & { name?: string; format?: string } = {}): Promise<Daybook> {
    return ingest(this.makePort, file, { ...this.options, ...options });
  }

  /** Events, or the rows of a query, as a file. */
  async export(format: ExportFormat, options: ExportOptions = {}): Promise<Uint8Array> {
    const { sql, parameters, filter = "", lenient = false, limit = null, columns = null } = options;
    const call: Call =
      sql === undefined
        ? { method: "matching", filter, lenient, limit, columns }
        : { method: "sql", sql, parameters: parameters ?? {} };
    const stream = await this.calls.call<Uint8Array>(call, options);
    return this.calls.call<Uint8Array>({ method: "encode", format, stream }, options);
  }

  /** Fetches all files and compares them with the manifest: the paths of those that differ. */
  verify(options: CallOptions = {}): Promise<{ files: number; damaged: string[] }> {
    return this.calls.call({ method: "verify" }, options);
  }

  /** How much was fetched so far. */
  counters(): Promise<Counters> {
    return this.calls.call({ method: "counters" });
  }

  /** Ends the worker. Calls that are under way fail. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.calls.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function request(analysis: string, more: Record<string, unknown>): { analysis: string } {
  const given = Object.entries(more).filter(([, value]) => value !== undefined);
  return { analysis, ...Object.fromEntries(given) };
}

/** Opens the events of a place. */
export function open(makePort: () => Port, place: Place, options: OpenOptions & CallOptions): Promise<Daybook> {
  const { signal: _signal, onProgress: _onProgress, ...limits } = options;
  return Daybook.start(makePort, { method: "open", place, options: limits }, options);
}

/** Reads a log file. */
export function ingest(
  makePort: () => Port,
  file: File | Uint8Array,
  options: OpenOptions & CallOptions & { name?: string; format?: string },
): Promise<Daybook> {
  const { signal: _signal, onProgress: _onProgress, name, format, ...limits } = options;
  const called = name ?? ("name" in file ? file.name : "file");
  const call: Call = { method: "dropped", file, name: called, format: format ?? "", options: limits };
  return Daybook.start(makePort, call, options);
}
