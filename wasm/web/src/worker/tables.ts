import { Decoder, type Events, type Needed } from "../../pkg/daybook.js";
import { LimitError } from "../errors.js";
import { AT_ONCE, type Chunk, type Chunks, digestsOf } from "./chunks.js";
import type { Duck } from "./duck.js";
import type { Work } from "./engine.js";
import { bytesText, sum } from "./sizes.js";
import { identifier } from "./sql.js";
import { goesOn, inParallel } from "./turns.js";

/** A row group of a file. */
export interface Unit {
  file: number;
  group: number;
  rows: number;
}

/** A table in DuckDB with some columns of a segment. */
interface Columns {
  table: string;
  names: string[];
  bytes: number;
}

/**
 * Row groups that were loaded together, in an order. Each of their tables has other columns of the same rows, so that a question
 * that needs one column more loads that one.
 */
interface Segment {
  units: Unit[];
  keys: Set<number>;
  rows: number;
  tables: Columns[];
}

/** Columns that a segment lacks, and from where they come. */
interface Load {
  segment: Segment;
  needed: Needed;
  parts: { file: number; groups: Uint32Array; chunks: Chunk[] }[];
  /** What they take in memory, about, and what is fetched. */
  bytes: number;
  fetched: number;
}

/** Rows are handed to DuckDB so many at once: as many as it keeps together. */
const INSERT_ROWS = 122_880;
/** A question is answered from so many segments at most; otherwise its rows are loaded into one. */
const SEGMENTS = 8;
/** A segment gets a column more if a question is about so much of it; otherwise a smaller one is made. */
const SHARE = 0.7;
/** Tables that are kept at most. */
const TABLES = 512;
/** What a value takes in DuckDB besides its bytes in Parquet, about. */
const VALUE_BYTES = 8;

/** The tables in DuckDB that have what was loaded of a bundle; `events` is over those that a question needs. */
export class Tables {
  private segments: Segment[] = [];
  /** All tables; those that were used last come last. */
  private readonly used = new Set<Columns>();
  private made = 0;
  private shown = "";

  private duck: Duck | undefined;
  /** What was decoded before DuckDB was there. */
  private waiting: { load: Load; rows: Decoder[] }[] = [];

  constructor(
    private readonly events: Events,
    private readonly chunks: Chunks,
    private readonly memoryLimit: number,
    private readonly cacheLimit: number,
  ) {}

  /** Decodes what DuckDB will be given when it is there. */
  async ahead(needed: Needed, units: Unit[], look: (decoder: Decoder) => void, work: Work): Promise<void> {
    const { loads } = this.choose(needed, units);
    this.check(loads, 0);
    for (const load of loads) {
      const rows: Decoder[] = [];
      for await (const decoder of this.decoded(load, work)) {
        look(decoder);
        rows.push(decoder.aside());
      }
      // DuckDB may have been needed meanwhile; then it loads what it is asked about.
      if (!this.duck) this.waiting.push({ load, rows });
    }
  }

  /** Some rows by their numbers, without DuckDB; nothing where they have lists. */
  async picked(needed: Needed, units: Unit[], seqs: BigInt64Array, names: string[], work: Work): Promise<Uint8Array | undefined> {
    const load = this.lacking({ units, keys: new Set(), rows: rowsOf(units), tables: [] }, needed);
    this.check([load], 0);
    for await (const decoder of this.decoded(load, work, Infinity)) return decoder.picked(seqs, names);
    return undefined;
  }

  /** What a question would load: its bytes in memory, and those to fetch. */
  cost(needed: Needed, units: Unit[]): { bytes: number; fetched: number } {
    const { loads } = this.choose(needed, units);
    return { bytes: sum(loads.map(({ bytes }) => bytes)), fetched: sum(loads.map(({ fetched }) => fetched)) };
  }

  /** Takes DuckDB, and gives it what waits. */
  begin(duck: Duck): void {
    this.duck = duck;
    for (const { load, rows } of this.waiting.splice(0)) {
      const table = this.newName();
      for (const [number, some] of rows.entries()) {
        duck.insert(table, some.take(), number === 0);
        some.free();
      }
      if (rows.length > 0) this.keep(table, load);
    }
  }

  /** Fetches what a question will load, if it is not too much to keep; other calls go on meanwhile. */
  async fetch(needed: Needed, units: Unit[], work: Work): Promise<void> {
    const { loads } = this.choose(needed, units);
    this.check(loads, 0);
    const total = sum(loads.map(({ fetched }) => fetched));
    if (total === 0 || total > this.cacheLimit / 2) return;
    const parts = loads.flatMap((load) => load.parts);
    let done = 0;
    await inParallel(parts, AT_ONCE, async ({ file, chunks }) => {
      await this.chunks.fetch(file, chunks, work.signal);
      done += sum(chunks.map(({ length }) => length));
      work.progress({ step: "fetch", done, total });
    });
  }

  /** Has `events` hold what a question needs. No query may run meanwhile. */
  async hold(needed: Needed, units: Unit[], work: Work): Promise<void> {
    const { segments, loads } = this.choose(needed, units);
    const names = needed.names();
    const isNeeded = (table: Columns) => table.names.some((name) => names.includes(name));
    const inUse = new Set(segments.flatMap((segment) => segment.tables.filter(isNeeded)));
    this.check(loads, sum([...inUse].map(({ bytes }) => bytes)));
    this.evict(sum(loads.map(({ bytes }) => bytes)), inUse);
    const total = sum(loads.map(({ segment }) => segment.rows));
    let done = 0;
    for (const load of loads) {
      await this.load(load, work, (rows) => work.progress({ step: "decode", done: (done += rows), total }));
    }
    for (const table of inUse) {
      this.used.delete(table);
      this.used.add(table);
    }
    this.show(segments, needed, names);
  }

  /** Gives back all memory. */
  clear(): void {
    this.evict(Infinity, new Set());
    this.show([], undefined, []);
  }

  /** The segments that a question is answered from, and what they lack. */
  private choose(needed: Needed, units: Unit[]): { segments: Segment[]; loads: Load[] } {
    const names = needed.names();
    const left = new Map(units.map((unit) => [unitKey(unit), unit]));
    const known = this.segments.map((segment) => {
      const held = segment.tables.flatMap((table) => table.names);
      const shared = units.filter((unit) => segment.keys.has(unitKey(unit)));
      return { segment, shared, rows: rowsOf(shared), missing: names.filter((name) => !held.includes(name)) };
    });
    known.sort((one, other) => one.missing.length - other.missing.length || other.rows - one.rows);
    const chosen = new Map<Segment, string[]>();
    for (const { segment, shared, rows, missing } of known) {
      // A row must be there once.
      const isDisjoint = shared.every((unit) => left.has(unitKey(unit)));
      const isWorthIt = missing.length === 0 || rows >= SHARE * segment.rows;
      if (rows === 0 || !isDisjoint || !isWorthIt || chosen.size >= SEGMENTS) continue;
      chosen.set(segment, missing);
      for (const unit of shared) left.delete(unitKey(unit));
    }
    if (left.size > 0) {
      const own = [...left.values()];
      chosen.set({ units: own, keys: new Set(left.keys()), rows: rowsOf(own), tables: [] }, names);
    }
    const lacking = [...chosen].filter(([, missing]) => missing.length > 0);
    const loads = lacking.map(([segment, missing]) => this.lacking(segment, needed.only(missing)));
    return { segments: [...chosen.keys()], loads };
  }

  private lacking(segment: Segment, needed: Needed): Load {
    const files = new Map<number, Unit[]>();
    for (const unit of segment.units) {
      const known = files.get(unit.file);
      if (known) known.push(unit);
      else files.set(unit.file, [unit]);
    }
    let [bytes, fetched] = [0, 0];
    const parts = [...files].map(([file, units]) => {
      const groups = Uint32Array.from(units, ({ group }) => group);
      const chunks = JSON.parse(this.events.places(file, groups, needed)) as Chunk[];
      bytes += sum(chunks.map(({ decoded }) => decoded)) + (VALUE_BYTES * rowsOf(units) * chunks.length) / groups.length;
      fetched += sum(chunks.map(({ length }) => length));
      return { file, groups, chunks };
    });
    return { segment, needed, parts, bytes, fetched };
  }

  /** Fails if a question would take too much memory, of which it has some already. */
  private check(loads: Load[], held: number): void {
    const bytes = sum(loads.map((load) => load.bytes));
    if (held + bytes <= this.memoryLimit) return;
    const files = new Set(loads.flatMap(({ parts }) => parts.map(({ file }) => file))).size;
    const fetched = bytesText(sum(loads.map((load) => load.fetched)));
    const message = `the question would load ${bytesText(held + bytes)} of ${files} files into memory (${fetched} to fetch), and the limit is ${bytesText(this.memoryLimit)}`;
    throw new LimitError("limit", message, "ask about fewer days or columns, or raise `memoryLimit`");
  }

  private async load(load: Load, work: Work, progress: (rows: number) => void): Promise<void> {
    const table = this.newName();
    let isNew = true;
    try {
      for await (const decoder of this.decoded(load, work)) {
        progress(decoder.rows());
        this.duck!.insert(table, decoder.take(), isNew);
        isNew = false;
      }
    } catch (error) {
      if (!isNew) this.duck!.run(`DROP TABLE ${identifier(table)}`);
      throw error;
    }
    this.keep(table, load);
  }

  /** What is to be loaded, so many rows at once or a few more. */
  private async *decoded({ needed, parts }: Load, work: Work, atOnce = INSERT_ROWS): AsyncGenerator<Decoder> {
    const decoder = new Decoder();
    const coming: Promise<Uint8Array[]>[] = [];
    const fetchNext = () => {
      const part = parts[coming.length];
      if (!part) return;
      const bytes = this.chunks.fetch(part.file, part.chunks, work.signal);
      bytes.catch(() => {});
      coming.push(bytes);
    };
    try {
      for (let ahead = 0; ahead < AT_ONCE; ahead++) fetchNext();
      for (const [number, { file, groups, chunks }] of parts.entries()) {
        const bytes = await coming[number]!;
        fetchNext();
        const decode = async (bytes: Uint8Array[]) => decoder.add(this.events, file, groups, needed, bytes, await digestsOf(bytes));
        await this.chunks.checking(file, chunks, bytes, decode, work.signal);
        const rows = decoder.rows();
        if (rows >= atOnce || (rows > 0 && number === parts.length - 1)) yield decoder;
        await goesOn(work.signal);
      }
    } finally {
      decoder.free();
    }
  }

  private newName(): string {
    return `loaded ${++this.made}`;
  }

  private keep(table: string, { segment, needed, bytes }: Load): void {
    const columns = { table, names: needed.names(), bytes };
    segment.tables.push(columns);
    this.used.add(columns);
    if (!this.segments.includes(segment)) this.segments.push(segment);
  }

  /** Makes room, and leaves what is in use. */
  private evict(more: number, inUse: Set<Columns>): void {
    let held = sum([...this.used].map(({ bytes }) => bytes));
    for (const table of [...this.used]) {
      if (held + more <= this.memoryLimit && this.used.size < TABLES) return;
      if (inUse.has(table)) continue;
      held -= table.bytes;
      this.used.delete(table);
      for (const segment of this.segments) segment.tables = segment.tables.filter((one) => one !== table);
      this.segments = this.segments.filter((segment) => segment.tables.length > 0);
      this.duck!.run(`DROP TABLE ${identifier(table.table)}`);
    }
  }

  /** Makes `events` the rows of segments. */
  private show(segments: Segment[], needed: Needed | undefined, names: string[]): void {
    const rows = segments.map(({ tables }) => {
      const shown = names.map((name) => `${identifier(tables.find((table) => table.names.includes(name))!.table)}.${identifier(name)}`);
      const from = tables.filter((table) => shown.some((name) => name.startsWith(`${identifier(table.table)}.`)));
      return `SELECT ${shown.join(", ")} FROM ${from.map(({ table }) => identifier(table)).join(" POSITIONAL JOIN ")}`;
    });
    const loaded = rows.length === 0 ? "" : `CREATE OR REPLACE VIEW loaded AS ${rows.join(" UNION ALL ")}`;
    if (loaded === this.shown) return;
    if (loaded) this.duck!.run(loaded);
    this.duck!.run(loaded ? this.events.view("loaded", needed!.copy()) : this.events.view("", undefined));
    this.shown = loaded;
  }
}

function unitKey({ file, group }: Unit): number {
  return file * 2 ** 20 + group;
}

function rowsOf(units: Unit[]): number {
  return sum(units.map(({ rows }) => rows));
}
