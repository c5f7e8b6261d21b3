import type { Daybook, Grid, Progress, Selection } from "@daybook/web";
import type { Table } from "./table.ts";
import type { Span } from "../state/time-range.ts";
import { microsOf } from "./values.ts";
import type { Order } from "../state/view.ts";

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** A column of the events. */
export interface Column {
  name: string;
  /** Where its values stand in the events as they were written; none for those that every store has. */
  path: string[] | null;
  type: string;
  /** Digits after the point, of a decimal. */
  scale?: number;
}

/** Columns that filters are about and that the first screen does not show of all events. */
const LIKELY = ["message", "duration_ms", "entity_id", "session", "level"];

/** How long the page is left alone before each of them, and how often what was interrupted is tried. */
const PREFETCH_PAUSE_MS = 150;
const PREFETCH_TRIES = 10;

/** Hands on new events as they come, where there is a server that has them. */
export interface Tail {
  follow(filter: string, heard: (rows: Table) => void, signal: AbortSignal): Promise<void>;
}

/** The events of a bundle or of a log file, as the page asks them. */
export class Events {
  readonly columns: readonly Column[];
  readonly tail: Tail | undefined;
  private isPrepared = false;

  constructor(
    readonly store: Daybook,
    /** Where they are from: a bundle, or a file that was dropped. */
    readonly origin: "bundle" | "file",
    /** The first and the last instant; none if there are no events. */
    public span: Span | undefined,
  ) {
    this.columns = store.about.columns as Column[];
    this.tail = (store as { tail?: Tail }).tail;
  }

  get title(): string {
    return this.store.about.title;
  }

  column(name: string): Column | undefined {
    return this.columns.find((column) => column.name === name);
  }

  sql(text: string, options: CallOptions & { parameters?: Record<string, unknown> } = {}): Promise<Table> {
    return this.store.sql(text, options);
  }

  ask<T>(request: { analysis: string; [key: string]: unknown }, options: CallOptions & { filter?: string } = {}): Promise<T> {
    return this.store.ask<T>(request, options);
  }

  /** Loads what the next filters are likely to be about, column after column, where people do not pay for each byte. */
  async prepare(): Promise<void> {
    const { connection } = navigator as { connection?: { saveData?: boolean } };
    if (this.isPrepared || connection?.saveData) return;
    this.isPrepared = true;
    for (const column of LIKELY) {
      for (let tries = 0; tries < PREFETCH_TRIES; tries++) {
        await new Promise((resolve) => setTimeout(resolve, PREFETCH_PAUSE_MS));
        // Something was asked meanwhile, or it cannot be loaded, which who asks for it is told.
        const isDone = await this.store.prefetch([column]).then(() => true, () => false);
        if (isDone) break;
      }
    }
  }

  /** The condition of a filter, in SQL. */
  condition(filter: string, options: CallOptions = {}): Promise<string> {
    return this.store.condition(filter, options);
  }

  /** How many events match in stretches of time, by band of severity. */
  buckets(grid: Grid, filter: string, options: CallOptions = {}): Promise<Float64Array> {
    return this.store.buckets(grid, { filter, ...options });
  }

  /** The events that match, by pages. */
  async select(filter: string, order: Order, options: CallOptions = {}): Promise<Rows> {
    return new Rows(await this.store.select({ filter, order, ...options }));
  }

  /** An event with all its columns. Its time says where to look for it, if that is known. */
  event(seq: string, micros: bigint | undefined, options: CallOptions = {}): Promise<Table> {
    const when = micros === undefined ? "" : ` AND ts = make_timestamp(${micros})`;
    return this.sql(`SELECT * FROM events WHERE seq = ${BigInt(seq)}${when}`, options);
  }

  /** Takes rows that came after the page was opened: the span goes on to the last of them. */
  heard(rows: Table): void {
    const times = rows.getChild("ts");
    for (let row = 0; row < rows.numRows; row++) {
      const ms = Number(microsOf(times?.get(row)) ?? 0n) / 1000;
      if (!this.span || ms > this.span.last) this.span = { first: this.span?.first ?? ms, last: ms };
    }
  }

  close(): void {
    this.store.close();
  }
}

/** Events that match, in an order. */
export class Rows {
  constructor(private readonly selection: Selection) {}

  get length(): number {
    return this.selection.length;
  }

  /** So many of them from a place on. */
  page(from: number, count: number, columns: readonly string[], options: CallOptions = {}): Promise<Table> {
    return this.selection.page(from, count, { columns: [...new Set(["ts", ...columns])], ...options });
  }

  /** The place of an event. */
  index(seq: string, options: CallOptions = {}): Promise<number | undefined> {
    return this.selection.index({ seq: BigInt(seq) }, options);
  }

  close(): void {
    this.selection.close();
  }
}
