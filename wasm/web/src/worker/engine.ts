import { tableFromIPC } from "apache-arrow";
import type { DuckDBBindings } from "duckdb-blocking";
import { type Common, Events, type Needed, encode, value } from "../../pkg/daybook.js";
import { DaybookError, LimitError } from "../errors.js";
import type { About, Counters, OpenOptions, Order, Place, Progress } from "../protocol.js";
import { Cache } from "./cache.js";
import { AT_ONCE, type BundleFile, Chunks } from "./chunks.js";
import { Duck, FullError, readTextsWith } from "./duck.js";
import { Selections, selected, spans } from "./selections.js";
import { bytesText } from "./sizes.js";
import { type ReadFile, type Source, sourceOf } from "./source.js";
import { matching, paging, selecting } from "./sql.js";
import { Storage } from "./storage.js";
import { Tables, type Unit } from "./tables.js";
import { Turns, inParallel, stopIf } from "./turns.js";

/** What the worker gets from where it runs. */
export interface Platform {
  /** When our module can be called. */
  ready: Promise<unknown>;
  duckdb(): Promise<DuckDBBindings>;
  read?: ReadFile;
}

/** A call that is being worked on. */
export interface Work {
  signal: AbortSignal;
  progress(progress: Progress): void;
  rows(stream: Uint8Array): void;
}

interface Statement {
  name: string;
  sql: string;
  parameters: [string, string][];
}

/** What there is of a bundle; a file that was dropped is in DuckDB as a whole. */
interface Store {
  source: Source;
  files: BundleFile[];
  chunks: Chunks;
  tables: Tables;
}

const MEMORY_LIMIT = 1 << 30;
const CACHE_LIMIT = 128 << 20;
/** A dropped file takes several times its size in memory. */
const DROPPED_BYTES = 512 << 20;

readTextsWith((stream) => {
  const table = tableFromIPC(stream);
  const texts: string[] = [];
  for (const row of table) for (const [, text] of row) if (typeof text === "string") texts.push(text);
  return texts;
});

export class Engine {
  readonly counters: Counters = { requests: 0, bytesFetched: 0, bytesFromCache: 0, bytesStored: 0, duckdbStartMs: 0, hasRanges: null };
  readonly selections = new Selections();
  private readonly turns = new Turns();
  private events!: Events;
  private duck!: Duck;
  private store: Store | undefined;
  private memoryLimit = MEMORY_LIMIT;

  constructor(private readonly platform: Platform) {}

  async open(place: Place, options: OpenOptions, work: Work): Promise<About> {
    this.memoryLimit = options.memoryLimit ?? MEMORY_LIMIT;
    const source = sourceOf(place, options, this.counters, this.platform.read);
    work.progress({ step: "open", done: 0, total: 1 });
    const [bindings, manifest] = await Promise.all([
      this.startDuckdb(),
      source.whole({ path: "manifest.json", size: 0 }, work.signal),
    ]);
    this.events = Events.bundle(manifest);
    const about = this.begin(bindings);
    const cacheLimit = options.cacheLimit ?? CACHE_LIMIT;
    const cache = new Cache(cacheLimit, this.counters);
    if (options.persist !== false && "url" in place) cache.storage = await Storage.open(source.name, manifest, this.counters);
    const files = about.files.map(({ path, size, footer }) => ({ wanted: { path, size }, footer }));
    const chunks = new Chunks(this.events, source, cache, files);
    const tables = new Tables(this.duck, this.events, chunks, this.memoryLimit, cacheLimit);
    this.store = { source, files, chunks, tables };
    work.progress({ step: "open", done: 1, total: 1 });
    return about;
  }

  async dropped(file: File | Uint8Array, name: string, format: string, options: OpenOptions, work: Work): Promise<About> {
    this.memoryLimit = options.memoryLimit ?? MEMORY_LIMIT;
    const size = file instanceof Uint8Array ? file.length : file.size;
    const limit = Math.min(DROPPED_BYTES, this.memoryLimit / 2);
    if (size > limit) {
      const message = `\`${name}\` has ${bytesText(size)}; a page reads at most ${bytesText(limit)}`;
      throw new LimitError("limit", message, "ingest it with the program, and export a bundle");
    }
    work.progress({ step: "fetch", done: 0, total: size });
    const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer());
    work.progress({ step: "fetch", done: size, total: size });
    const bindings = await this.startDuckdb();
    stopIf(work.signal);
    this.events = Events.dropped(bytes, name, format, Date.now());
    const about = this.begin(bindings);
    work.progress({ step: "decode", done: about.records ?? 0, total: about.records ?? 0 });
    const stream = this.events.held();
    if (stream.length > 0) {
      this.duck.insert("held", stream, true);
      this.duck.run(this.events.view("held", undefined));
    }
    return about;
  }

  private async startDuckdb(): Promise<DuckDBBindings> {
    const started = performance.now();
    const [bindings] = await Promise.all([this.platform.duckdb(), this.platform.ready]);
    this.counters.duckdbStartMs = performance.now() - started;
    return bindings;
  }

  private begin(bindings: DuckDBBindings): About {
    const about = { ...JSON.parse(this.events.about()), columns: JSON.parse(this.events.columns()) } as About;
    const setup = JSON.parse(this.events.setup()) as [string[], string[], string[]];
    this.duck = new Duck(bindings, setup, this.memoryLimit, (text) => this.events.explain(text));
    this.duck.insert("templates", this.events.templates(), true);
    return about;
  }

  /** The rows of a question. */
  async sql(sql: string, parameters: Record<string, unknown>, work: Work): Promise<Uint8Array> {
    const given = Object.entries(parameters).map(([name, one]): [string, string] => [name, value(JSON.stringify(one))]);
    const body = this.events.question(sql);
    if (body === undefined) return this.turns.take(work.signal, () => this.query(sql, given, work));
    return this.answer({ name: "", sql: body, parameters: given }, undefined, work);
  }

  /** The events that match, with all that is shown of them or some columns, the oldest first. */
  matching(filter: string, lenient: boolean, limit: number | null, columns: string[] | null, work: Work): Promise<Uint8Array> {
    const condition = this.events.condition(filter, Date.now(), lenient);
    const sql = matching(condition.sql(), limit, columns);
    return this.answer({ name: "", sql, parameters: [] }, condition.common(), work);
  }

  /** Which events match, in an order. */
  async select(filter: string, lenient: boolean, order: Order, work: Work): Promise<{ selection: number; length: number }> {
    const condition = this.events.condition(filter, Date.now(), lenient);
    const sql = selecting(condition.sql(), order);
    const rows = await this.answer({ name: "", sql, parameters: [] }, condition.common(), work);
    return this.selections.add(selected(rows));
  }

  /** Rows of a selection. */
  async page(selection: number, from: number, count: number, columns: string[] | null, work: Work): Promise<Uint8Array> {
    const { seqs, times } = this.selections.page(selection, from, count);
    const within = spans(times);
    const sql = paging(seqs, [within[0]?.[0] ?? 0n, within.at(-1)?.[1] ?? 0n], columns);
    return this.answer({ name: "", sql, parameters: [] }, undefined, work, within);
  }

  /** The report of a request. Rows of searches are handed on as they come. */
  async ask(request: unknown, lenient: boolean, work: Work, handOn: boolean): Promise<unknown> {
    const asking = this.events.ask(JSON.stringify(request), Date.now(), lenient);
    try {
      for (;;) {
        const step = JSON.parse(asking.next(this.events)) as { run: Statement[] } | { done: unknown };
        if ("done" in step) return step.done;
        for (const [number, statement] of step.run.entries()) {
          const rows = await this.answer(statement, asking.common(number), work);
          if (handOn && tableFromIPC(rows).numRows > 0) work.rows(rows.slice());
          asking.give(statement.name, rows);
        }
      }
    } finally {
      asking.free();
    }
  }

  condition(filter: string): string {
    return this.events.condition(filter, Date.now(), false).sql();
  }

  encode(format: string, stream: Uint8Array): Uint8Array {
    return encode(format, stream);
  }

  /** Compares all files with the manifest. */
  async verify(work: Work): Promise<{ files: number; damaged: string[] }> {
    if (!this.store) return { files: 0, damaged: [] };
    const { files, source } = this.store;
    const damaged: string[] = [];
    let done = 0;
    await inParallel(files, AT_ONCE, async ({ wanted }, number) => {
      stopIf(work.signal);
      try {
        const bytes = await source.whole(wanted, work.signal);
        if (!this.events.isWhole(number, bytes)) damaged.push(wanted.path);
      } catch (error) {
        if (work.signal.aborted || !(error instanceof DaybookError)) throw error;
        damaged.push(wanted.path);
      }
      work.progress({ step: "fetch", done: ++done, total: files.length });
    });
    return { files: files.length, damaged: damaged.sort() };
  }

  /**
   * The rows of a statement. What it needs is planned and fetched while other calls go on; then it has DuckDB for itself.
   */
  private async answer({ sql, parameters }: Statement, common: Common | undefined, work: Work, within?: [bigint, bigint][]): Promise<Uint8Array> {
    const needed = this.store && this.events.needed(this.duck.plan(sql, parameters), common);
    const units = needed?.reads() ? await this.units(needed, work, within) : undefined;
    if (units) await this.store!.tables.fetch(needed!, units, work);
    return this.turns.take(work.signal, async () => {
      const answer = async () => {
        if (units) await this.store!.tables.hold(needed!, units, work);
        return this.query(sql, parameters, work);
      };
      try {
        return await answer();
      } catch (error) {
        if (!(error instanceof FullError) || !units) throw error;
        this.store!.tables.clear();
        return answer();
      }
    });
  }

  private async query(sql: string, parameters: [string, string][], work: Work): Promise<Uint8Array> {
    work.progress({ step: "query", done: 0, total: 1 });
    const rows = await this.duck.rows(sql, parameters, { signal: work.signal, bytes: this.memoryLimit });
    work.progress({ step: "query", done: 1, total: 1 });
    return rows;
  }

  /** The row groups that can have what a question is about, or only those of spans of time. */
  private async units(needed: Needed, work: Work, within?: [bigint, bigint][]): Promise<Unit[]> {
    const narrowed = within?.map(([from, to]) => needed.within(from, to)) ?? [needed];
    const files = narrowed.map((needed) => [...this.events.files(needed)]);
    await this.store!.chunks.footers([...new Set(files.flat())], work.signal);
    const units = new Map<string, Unit>();
    for (const [number, needed] of narrowed.entries()) {
      for (const file of files[number]!) {
        const groups = this.events.groups(file, needed);
        for (let at = 0; at < groups.length; at += 2) {
          const [group, rows] = [groups[at]!, groups[at + 1]!];
          if (rows > 0) units.set(`${file}:${group}`, { file, group, rows });
        }
      }
    }
    return [...units.values()].sort((one, other) => one.file - other.file || one.group - other.group);
  }
}
