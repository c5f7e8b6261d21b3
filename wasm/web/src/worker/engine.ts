import { tableFromIPC } from "apache-arrow";
import type { DuckDBBindings } from "duckdb-blocking";
import { AbortedError, CorruptError, DaybookError, LimitError, errorOf } from "../errors.js";
import type { About, Counters, OpenOptions, Order, Place, Progress } from "../protocol.js";
import { type Common, Events, type Needed, encode, value } from "../../pkg/daybook.js";
import { Cache } from "./cache.js";
import { Duck, readTextsWith } from "./duck.js";
import { SHOWN, Selections, identifier, paging, selected, selecting, span } from "./selections.js";
import { type ReadFile, type Source, type Wanted, sourceOf } from "./source.js";

/** What the worker gets from where it runs. */
export interface Platform {
  duckdb(): Promise<DuckDBBindings>;
  read?: ReadFile;
}

/** A call that is being worked on. */
export interface Work {
  signal: AbortSignal;
  progress(progress: Progress): void;
  rows(stream: Uint8Array): void;
}

interface Chunk {
  group: number;
  leaf: number;
  offset: number;
  length: number;
  decoded: number;
}

interface Chunks {
  groups: number[];
  rows: number;
  chunks: Chunk[];
}

/** A table in DuckDB with some columns of some row groups. */
interface Loaded {
  table: string;
  needed: Needed;
  names: Set<string>;
  groups: Map<number, Set<number>>;
  bytes: number;
}

interface Statement {
  name: string;
  sql: string;
  parameters: [string, string][];
}

const MEMORY_LIMIT = 1 << 30;
const CACHE_LIMIT = 128 << 20;
/** Requests at once. */
const AT_ONCE = 6;
/** Chunks that lie closer together are fetched with what is between them. */
const GAP_BYTES = 16 << 10;
/** A request is for at most so many bytes, where chunks allow it. */
const REQUEST_BYTES = 8 << 20;
/** A dropped file takes several times its size in memory. */
const DROPPED_BYTES = 512 << 20;

readTextsWith((stream) => {
  const table = tableFromIPC(stream);
  const texts: string[] = [];
  for (const row of table) for (const [, text] of row) if (typeof text === "string") texts.push(text);
  return texts;
});

export class Engine {
  readonly counters: Counters = { requests: 0, bytesFetched: 0, bytesFromCache: 0, duckdbStartMs: 0, hasRanges: null };
  private events!: Events;
  private duck!: Duck;
  private source: Source | undefined;
  private cache!: Cache;
  private files: { wanted: Wanted; footer: [number, number] }[] = [];
  private loaded: Loaded[] = [];
  private tables = 0;
  readonly selections = new Selections();
  private memoryLimit = MEMORY_LIMIT;

  constructor(private readonly platform: Platform) {}

  async open(place: Place, options: OpenOptions, work: Work): Promise<About> {
    this.memoryLimit = options.memoryLimit ?? MEMORY_LIMIT;
    this.cache = new Cache(options.cacheLimit ?? CACHE_LIMIT, this.counters);
    this.source = sourceOf(place, options, this.counters, this.platform.read);
    work.progress({ step: "open", done: 0, total: 1 });
    const [bindings, manifest] = await Promise.all([
      this.startDuckdb(),
      this.source.whole({ path: "manifest.json", size: 0 }, work.signal),
    ]);
    this.events = Events.bundle(manifest);
    if (options.persist !== false && "url" in place) {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", manifest as never));
      this.cache.persist(place.url, [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    }
    return this.begin(bindings);
  }

  async dropped(file: File | Uint8Array, name: string, format: string, options: OpenOptions): Promise<About> {
    this.memoryLimit = options.memoryLimit ?? MEMORY_LIMIT;
    const size = file instanceof Uint8Array ? file.length : file.size;
    const limit = Math.min(DROPPED_BYTES, this.memoryLimit / 2);
    if (size > limit) {
      throw new LimitError("limit", `\`${name}\` has ${bytesText(size)}; a page reads at most ${bytesText(limit)}`, "ingest it with the program, and export a bundle");
    }
    const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer());
    const bindings = await this.startDuckdb();
    this.events = Events.dropped(bytes, name, format, Date.now());
    const about = this.begin(bindings);
    const stream = this.events.held();
    if (stream.length > 0) {
      this.duck.insert("held", stream, true);
      this.duck.run(this.events.view("held", undefined));
    }
    return about;
  }

  private async startDuckdb(): Promise<DuckDBBindings> {
    const started = performance.now();
    const bindings = await this.platform.duckdb();
    this.counters.duckdbStartMs = performance.now() - started;
    return bindings;
  }

  private begin(bindings: DuckDBBindings): About {
    const about = JSON.parse(this.events.about()) as Omit<About, "columns">;
    this.files = about.files.map(({ path, size, footer }) => ({ wanted: { path, size }, footer }));
    this.duck = new Duck(bindings, JSON.parse(this.events.setup()) as [string[], string[], string[]]);
    this.duck.insert("templates", this.events.templates(), true);
    return { ...about, columns: JSON.parse(this.events.columns()) as About["columns"] };
  }

  /** The rows of a question. */
  async sql(sql: string, parameters: Record<string, unknown>, work: Work): Promise<Uint8Array> {
    const given = Object.entries(parameters).map(([name, one]): [string, string] => [name, value(JSON.stringify(one))]);
    const body = this.events.question(sql);
    if (body === undefined) return this.duck.rows(sql, given, () => goesOn(work.signal));
    return this.answer({ name: "", sql: body, parameters: given }, undefined, work);
  }

  /** The events that match, with all that is shown of them or some columns, the oldest first. */
  matching(filter: string, lenient: boolean, limit: number | null, columns: string[] | null, work: Work): Promise<Uint8Array> {
    const condition = this.events.condition(filter, Date.now(), lenient);
    const shown = columns?.map(identifier).join(", ") ?? SHOWN;
    const most = limit === null ? "" : ` LIMIT ${Math.max(0, Math.floor(limit))}`;
    const sql = `SELECT ${shown} FROM events WHERE ${condition.sql()} ORDER BY ts, seq${most}`;
    return this.answer({ name: "", sql, parameters: [] }, condition.common(), work);
  }

  /** Which events match, in an order. */
  async select(filter: string, lenient: boolean, order: Order, work: Work): Promise<{ selection: number; length: number }> {
    const condition = this.events.condition(filter, Date.now(), lenient);
    const sql = selecting(condition.sql(), order);
    return this.selections.add(selected(await this.answer({ name: "", sql, parameters: [] }, condition.common(), work)));
  }

  /** Rows of a selection. */
  async page(selection: number, from: number, count: number, columns: string[] | null, work: Work): Promise<Uint8Array> {
    const page = this.selections.page(selection, from, count);
    return this.answer({ name: "", sql: paging(page, columns), parameters: [] }, undefined, work, span(page.times));
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
    const damaged: string[] = [];
    let done = 0;
    await inParallel(this.files, async ({ wanted }, number) => {
      try {
        const bytes = await this.source!.whole(wanted, work.signal);
        if (!this.events.isWhole(number, bytes)) damaged.push(wanted.path);
      } catch (error) {
        if (work.signal.aborted || !(error instanceof DaybookError)) throw error;
        damaged.push(wanted.path);
      }
      work.progress({ step: "fetch", done: ++done, total: this.files.length });
    });
    return { files: this.files.length, damaged: damaged.sort() };
  }

  private async answer(statement: Statement, common: Common | undefined, work: Work, within?: [bigint, bigint]): Promise<Uint8Array> {
    const plan = this.duck.plan(statement.sql, statement.parameters);
    if (this.source) {
      const needed = this.events.needed(plan, common);
      await this.load(within ? needed.within(...within) : needed, work);
    }
    work.progress({ step: "query", done: 0, total: 1 });
    return this.duck.rows(statement.sql, statement.parameters, () => goesOn(work.signal));
  }

  /** Has `events` hold what a query needs. */
  private async load(needed: Needed, work: Work): Promise<void> {
    if (!needed.reads()) return;
    const files = [...this.events.files(needed)];
    await this.footers(files, work);
    const plans = new Map<number, Chunks>();
    for (const file of files) {
      const chunks = JSON.parse(this.events.chunks(file, needed)) as Chunks;
      if (chunks.groups.length > 0) plans.set(file, chunks);
    }
    const names = needed.names();
    const known = this.loaded.find((one) => names.every((name) => one.names.has(name)) && covers(one, plans));
    if (known) {
      this.loaded = [...this.loaded.filter((one) => one !== known), known];
      this.duck.run(this.events.view(known.table, known.needed.copy()));
      return;
    }
    const all = [...plans.values()].flatMap(({ chunks }) => chunks);
    const [bytes, fetched] = [sum(all.map((chunk) => chunk.decoded)), sum(all.map((chunk) => chunk.length))];
    if (bytes > this.memoryLimit) {
      const message = `the question would load ${bytesText(bytes)} of ${plans.size} files into memory (${bytesText(fetched)} to fetch), and the limit is ${bytesText(this.memoryLimit)}`;
      throw new LimitError("limit", message, "ask about fewer days or columns, or raise `memoryLimit`");
    }
    this.evict(bytes);
    const table = `loaded ${++this.tables}`;
    let isNew = true;
    let done = 0;
    await inParallel([...plans], async ([file, chunks]) => {
      const parts = await this.fetch(file, chunks.chunks, work);
      done += sum(chunks.chunks.map((chunk) => chunk.length));
      work.progress({ step: "fetch", done, total: fetched });
      const stream = this.events.decode(file, needed, parts);
      for (const part of parts.keys()) this.cacheKeep(file, chunks.chunks[part]!, parts[part]!);
      if (stream.length === 0) return;
      this.duck.insert(table, stream, isNew);
      isNew = false;
      await goesOn(work.signal);
    });
    if (isNew) {
      this.duck.run(this.events.view("", undefined));
      return;
    }
    const groups = new Map([...plans].map(([file, chunks]) => [file, new Set(chunks.groups)]));
    this.loaded.push({ table, needed: needed.copy(), names: new Set(names), groups, bytes });
    this.duck.run(this.events.view(table, needed));
  }

  private evict(more: number): void {
    let held = sum(this.loaded.map((one) => one.bytes));
    while (this.loaded.length > 0 && (held + more > this.memoryLimit || this.loaded.length >= 16)) {
      const oldest = this.loaded.shift()!;
      held -= oldest.bytes;
      // The view may be over it.
      this.duck.run(this.events.view("", undefined));
      this.duck.run(`DROP TABLE "${oldest.table}"`);
    }
  }

  private async footers(files: number[], work: Work): Promise<void> {
    const lacking = files.filter((file) => !this.events.hasFooter(file));
    // The first tells whether the server has ranges.
    const read = async (file: number): Promise<void> => {
      const { wanted, footer } = this.files[file]!;
      const key = `${wanted.path}:${footer[0]}:${footer[1]}`;
      const known = await this.cache.get(key);
      const bytes = known ?? (await this.source!.range(wanted, footer[0], footer[1], work.signal));
      this.events.footer(file, bytes);
      if (!known) this.cache.put(key, bytes);
    };
    const [first, ...others] = lacking;
    if (first !== undefined) await read(first);
    await inParallel(others, read);
  }

  /** The bytes of chunks of a file, those that lie together in one request. */
  private async fetch(file: number, chunks: Chunk[], work: Work): Promise<Uint8Array[]> {
    const { wanted } = this.files[file]!;
    const found = await Promise.all(chunks.map((chunk) => this.cache.get(key(wanted, chunk))));
    const lacking = chunks.map((chunk, number) => ({ chunk, number })).filter(({ number }) => !found[number]);
    lacking.sort((one, other) => one.chunk.offset - other.chunk.offset);
    const runs: { start: number; end: number; parts: typeof lacking }[] = [];
    for (const part of lacking) {
      const { offset, length } = part.chunk;
      const last = runs.at(-1);
      if (last && offset - last.end <= GAP_BYTES && offset + length - last.start <= REQUEST_BYTES) {
        last.end = Math.max(last.end, offset + length);
        last.parts.push(part);
      } else runs.push({ start: offset, end: offset + length, parts: [part] });
    }
    await inParallel(runs, async ({ start, end, parts }) => {
      const bytes = await this.source!.range(wanted, start, end - start, work.signal);
      for (const { chunk, number } of parts) found[number] = bytes.subarray(chunk.offset - start, chunk.offset - start + chunk.length);
    });
    return found.map((bytes) => {
      if (!bytes) throw new CorruptError("corrupt", `a part of \`${wanted.path}\` was not fetched`);
      return bytes;
    });
  }

  /** Keeps what was checked. */
  private cacheKeep(file: number, chunk: Chunk, bytes: Uint8Array): void {
    this.cache.put(key(this.files[file]!.wanted, chunk), bytes.slice());
  }
}

function key(file: Wanted, chunk: Chunk): string {
  return `${file.path}:${chunk.offset}:${chunk.length}`;
}

function covers(loaded: Loaded, plans: Map<number, Chunks>): boolean {
  return [...plans].every(([file, { groups }]) => {
    const held = loaded.groups.get(file);
    return held !== undefined && groups.every((group) => held.has(group));
  });
}

/** Lets messages in, and ends a call that was stopped. */
async function goesOn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (signal.aborted) throw new AbortedError("interrupted", "the call was stopped");
}

async function inParallel<T>(items: T[], work: (item: T, number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < items.length) {
      const number = next++;
      await work(items[number]!, number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, one));
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Bytes for people. */
function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

export { errorOf };
