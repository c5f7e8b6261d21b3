import { tableFromIPC } from "apache-arrow";
import type { DuckDBBindings } from "duckdb-blocking";
import { type Common, Events, Glance, type Needed, encode, value } from "../../pkg/daybook.js";
import { AbortedError, DaybookError, LimitError } from "../errors.js";
import type { About, BundleFile, Counters, Grid, OpenOptions, Order, Place, Progress } from "../protocol.js";
import { Cache } from "./cache.js";
import { AT_ONCE, Chunks } from "./chunks.js";
import { First } from "./first.js";
import { Duck, FullError, type Setup, opened, readTextsWith } from "./duck.js";
import { Selections, reversed, selected, spans } from "./selections.js";
import { bytesText, sum } from "./sizes.js";
import { type ReadFile, type Source, sourceOf } from "./source.js";
import { counted, counting, matching, paging, selecting } from "./sql.js";
import { Storage } from "./storage.js";
import { Tables, type Unit } from "./tables.js";
import { Gate, Turns, inParallel, stopIf } from "./turns.js";

/** What the worker gets from where it runs. */
export interface Platform {
  /** When our module can be called. */
  ready: Promise<unknown>;
  /** DuckDB is fetched and compiled at once. From when the gate is open on, starting it takes the thread for a while. */
  duckdb(gate: Promise<void>): Promise<DuckDBBindings>;
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
/** All events are seen at a glance if they are no more than these; 17 bytes each. */
const GLANCE_ROWS = 4_000_000;
/** What matched a filter is kept so long. */
const GLANCE_MS = 300;
/** Rows are picked out of so many, which takes less time than to load them. */
const PICKED_ROWS = 50_000;
/** So much is fetched that nobody has asked for. */
const PREFETCH_BYTES = 4 << 20;
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
  private store: Store | undefined;
  private memoryLimit = MEMORY_LIMIT;
  private readonly gate = new Gate();
  /** DuckDB, when it has been started; nothing before. */
  private duck: Duck | undefined;
  private starting: Promise<Duck> | undefined;
  /** What is answered from before that. */
  private first: First | undefined;
  /** What was seen of the events that matched last. */
  private last: { key: string; glance: Promise<Glance> } | undefined;
  /** Ends what loads without being asked. */
  private prefetching: AbortController | undefined;

  constructor(private readonly platform: Platform) {}

  async open(place: Place, options: OpenOptions, work: Work): Promise<About> {
    this.memoryLimit = options.memoryLimit ?? MEMORY_LIMIT;
    const source = sourceOf(place, options, this.counters, this.platform.read);
    work.progress({ step: "open", done: 0, total: 1 });
    const bindings = this.fetchDuckdb();
    const manifest = await source.whole({ path: "manifest.json", size: 0 }, work.signal);
    const isKept = options.persist !== false && "url" in place;
    const storage = isKept ? Storage.open(source.name, manifest, this.counters) : Promise.resolve(undefined);
    await this.platform.ready;
    this.events = Events.bundle(manifest);
    const about = this.about();
    const cacheLimit = options.cacheLimit ?? CACHE_LIMIT;
    const cache = new Cache(cacheLimit, storage, this.counters);
    const files = [...about.files, ...about.copies];
    const chunks = new Chunks(this.events, source, cache, files);
    const tables = new Tables(this.events, chunks, this.memoryLimit, cacheLimit);
    this.store = { source, files, chunks, tables };
    this.starting = this.begin(bindings);
    this.starting.catch(() => {});
    if (options.glance && about.events <= GLANCE_ROWS) this.first = new First(() => this.look(tables), () => this.gate.open());
    else await this.started();
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
    const bindings = this.fetchDuckdb();
    await this.platform.ready;
    stopIf(work.signal);
    this.events = Events.dropped(bytes, name, format, Date.now(), limit);
    const about = this.about();
    this.starting = this.begin(bindings);
    const duck = await this.started();
    work.progress({ step: "decode", done: about.records ?? 0, total: about.records ?? 0 });
    const stream = this.events.held();
    if (stream.length > 0) {
      duck.insert("held", stream, true);
      duck.run(this.events.view("held", undefined));
    }
    return about;
  }

  /** The first look. What fails here is told by who asks DuckDB for the same. */
  private async look(tables: Tables): Promise<Glance | undefined> {
    const work: Work = { signal: new AbortController().signal, progress: () => {}, rows: () => {} };
    const glance = new Glance();
    try {
      const needed = this.events.neededFor(Glance.columns());
      await tables.ahead(needed, await this.units(needed, work.signal), (decoder) => glance.add(decoder), work);
      glance.sort();
      return glance;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      glance.free();
      return undefined;
    }
  }

  private fetchDuckdb(): Promise<DuckDBBindings> {
    const bindings = this.platform.duckdb(this.gate.opened);
    // What is wrong with it is told when it is waited for.
    bindings.catch(() => {});
    return bindings;
  }

  private about(): About {
    return { ...JSON.parse(this.events.about()), columns: JSON.parse(this.events.columns()) };
  }

  private async begin(coming: Promise<DuckDBBindings>): Promise<Duck> {
    await this.gate.opened;
    const start = performance.now();
    const bindings = opened(await coming);
    this.counters.duckdbStartMs = performance.measure("DuckDB starts", { start }).duration;
    const setup: Setup = { ...JSON.parse(this.events.setup()), planned: this.events.planned() };
    const duck = new Duck(bindings, setup, this.memoryLimit, (text) => this.events.explain(text));
    duck.insert("templates", this.events.templates(), true);
    this.store?.tables.begin(duck);
    this.duck = duck;
    this.first?.close();
    this.first = undefined;
    return duck;
  }

  /** DuckDB, as soon as it has been started. */
  private started(): Promise<Duck> {
    this.gate.open();
    return this.starting!;
  }

  /** The rows of a question. */
  async sql(sql: string, parameters: Record<string, unknown>, work: Work): Promise<Uint8Array> {
    const given = Object.entries(parameters).map(([name, one]): [string, string] => [name, value(JSON.stringify(one))]);
    const body = this.events.question(sql);
    if (body === undefined) {
      await this.started();
      return this.turns.take(work.signal, () => this.query(sql, given, work));
    }
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
    if ((order.column ?? "ts") === "ts") {
      const found = await this.glance(filter, lenient, work, (glance) => ({ ts: glance.ts(), seq: glance.seq() }));
      if (found) return this.selections.add(order.descending ? reversed(found) : found);
    }
    const condition = this.events.condition(filter, Date.now(), lenient);
    const rows = await this.answer({ name: "", sql: selecting(condition.sql(), order), parameters: [] }, condition.common(), work);
    return this.selections.add(selected(rows));
  }

  /** How many events of each band of severity match, in equal stretches of time: those of the first band, then of the next. */
  async buckets(filter: string, lenient: boolean, grid: Grid, work: Work): Promise<Float64Array> {
    const found = await this.glance(filter, lenient, work, (glance) => glance.buckets(grid.origin, grid.step, grid.count));
    if (found) return found;
    const condition = this.events.condition(filter, Date.now(), lenient);
    const sql = counting(condition.sql(), grid);
    return counted(await this.answer({ name: "", sql, parameters: [] }, condition.common(), work), grid);
  }

  /**
   * What is seen of the events that match, which the counts over time and the order both are of; nothing where all events are too
   * many for that. Who asks for both with the same filter asks DuckDB once.
   */
  private async glance<T>(filter: string, lenient: boolean, work: Work, see: (glance: Glance) => T): Promise<T | undefined> {
    if (this.events.rows() > GLANCE_ROWS) return undefined;
    const first = filter.trim() === "" ? await this.first?.looked(work.signal) : undefined;
    if (first) return see(first);
    const key = `${lenient} ${filter}`;
    for (;;) {
      const known = this.last?.key === key ? this.last : undefined;
      try {
        return see(await (known?.glance ?? this.keep(key, this.match(filter, lenient, work))));
      } catch (error) {
        // Who asked for it first does not want it any more.
        if (known && error instanceof AbortedError && !work.signal.aborted) continue;
        throw error;
      }
    }
  }

  /** Has who asks next with the same filter get the same. */
  private keep(key: string, glance: Promise<Glance>): Promise<Glance> {
    const last = (this.last = { key, glance });
    const forget = () => {
      if (this.last === last) this.last = undefined;
    };
    const end = (glance: Glance) => {
      forget();
      // It is the module's memory, of which JavaScript knows nothing.
      glance.free();
    };
    glance.then((glance) => setTimeout(end, GLANCE_MS, glance), forget);
    return glance;
  }

  private async match(filter: string, lenient: boolean, work: Work): Promise<Glance> {
    const condition = this.events.condition(filter, Date.now(), lenient);
    const sql = `SELECT ${Glance.columns().join(", ")} FROM events WHERE ${condition.sql()}`;
    const rows = await this.answer({ name: "", sql, parameters: [] }, condition.common(), work);
    const glance = new Glance();
    glance.addRows(rows);
    glance.sort();
    return glance;
  }

  /** Rows of a selection. */
  async page(selection: number, from: number, count: number, columns: string[] | null, work: Work): Promise<Uint8Array> {
    const { seqs, times } = this.selections.page(selection, from, count);
    const within = spans(times);
    const picked = columns && (await this.picked(seqs, within, ["seq", ...columns], work));
    if (picked) return picked;
    const sql = paging(seqs, [within[0] ?? 0n, within.at(-1) ?? 0n], columns);
    return this.answer({ name: "", sql, parameters: [] }, undefined, work, within);
  }

  /** Rows by their numbers, decoded without DuckDB, where they lie together and their columns are read as they are stored. */
  private async picked(seqs: BigInt64Array, within: BigInt64Array, columns: string[], work: Work): Promise<Uint8Array | undefined> {
    const { store } = this;
    const names = [...new Set(columns)];
    if (!store || !names.every((name) => this.events.isPlain(name))) return undefined;
    const end = this.first?.pause();
    try {
      const needed = this.events.neededFor(names).within(within);
      const units = await this.units(needed, work.signal);
      if (sum(units.map(({ rows }) => rows)) > PICKED_ROWS) return undefined;
      return await store.tables.picked(needed, units, seqs, names, work);
    } finally {
      end?.();
    }
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

  /**
   * Loads columns of all events that questions may be about later, if that is little. Says whether they are there. Whatever is
   * asked meanwhile ends it.
   */
  async prefetch(columns: string[], call: Work): Promise<boolean> {
    await this.started();
    this.prefetching?.abort();
    const stop = (this.prefetching = new AbortController());
    const work = { ...call, signal: AbortSignal.any([call.signal, stop.signal]) };
    const known = columns.filter((name) => this.events.isPlain(name));
    if (!this.store || known.length === 0) return false;
    const { tables } = this.store;
    const needed = this.events.neededFor(known);
    const units = await this.units(needed, work.signal);
    const { bytes, fetched } = tables.cost(needed, units);
    if (bytes > this.memoryLimit / 8 || fetched > PREFETCH_BYTES) return false;
    await tables.fetch(needed, units, work);
    await this.turns.take(work.signal, () => tables.hold(needed, units, work));
    return true;
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
    await inParallel(files, AT_ONCE, async (wanted, number) => {
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
  private async answer({ sql, parameters }: Statement, common: Common | undefined, work: Work, within?: BigInt64Array): Promise<Uint8Array> {
    this.prefetching?.abort();
    const duck = await this.started();
    const all = this.store && this.events.needed(duck.plan(sql, parameters), common);
    const needed = within ? all?.within(within) : all;
    const units = needed?.reads() ? await this.units(needed, work.signal) : undefined;
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
    const rows = await this.duck!.rows(sql, parameters, { signal: work.signal, bytes: this.memoryLimit });
    work.progress({ step: "query", done: 1, total: 1 });
    return rows;
  }

  /** The row groups that can have what a question is about. */
  private async units(needed: Needed, signal: AbortSignal): Promise<Unit[]> {
    const files = [...this.events.files(needed)];
    await this.store!.chunks.footers(files, signal);
    return files.flatMap((file) => {
      const groups = this.events.groups(file, needed);
      return Array.from({ length: groups.length / 2 }, (_, at) => ({ file, group: groups[2 * at]!, rows: groups[2 * at + 1]! }));
    }).filter(({ rows }) => rows > 0);
  }
}
