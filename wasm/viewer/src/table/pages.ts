import type { Table } from "../data/table.ts";

const PAGE_ROWS = 200;
/** So many pages are kept. */
const KEPT = 40;
/** So many are asked for at once. */
const AT_ONCE = 2;

export type Fetch = (from: number, count: number, signal: AbortSignal) => Promise<Table>;

/** Pages of a long list: those that are seen and those next to them are fetched, those that are not any more are stopped. */
export class Pages {
  private readonly kept = new Map<number, Table>();
  private readonly under = new Map<number, AbortController>();
  private wanted: number[] = [];
  private isClosed = false;

  constructor(
    private readonly rows: number,
    private readonly fetch: Fetch,
    private readonly came: (page: number) => void,
    private readonly failed: (error: Error) => void,
  ) {}

  /** Where a row is, if it is there. */
  readonly find = (row: number): { table: Table; at: number } | undefined => {
    const table = this.kept.get(Math.floor(row / PAGE_ROWS));
    return table && { table, at: row % PAGE_ROWS };
  };

  /** A value of a row, if it is there. */
  value(row: number, column: string): unknown {
    const found = this.find(row);
    return found?.table.getChild(column)?.get(found.at);
  }

  /** Says which rows are seen, and in which direction they move. */
  see(first: number, end: number, isForward: boolean): void {
    const last = Math.max(0, Math.ceil(this.rows / PAGE_ROWS) - 1);
    const [from, to] = [Math.floor(first / PAGE_ROWS), Math.min(last, Math.floor(Math.max(first, end - 1) / PAGE_ROWS))];
    const seen = Array.from({ length: to - from + 1 }, (_, at) => from + at);
    const ahead = isForward ? to + 1 : from - 1;
    this.wanted = [...seen, ahead].filter((page) => page >= 0 && page <= last);
    for (const [page, stop] of this.under) {
      if (this.wanted.includes(page)) continue;
      stop.abort();
      this.under.delete(page);
    }
    this.go();
  }

  close(): void {
    this.isClosed = true;
    for (const stop of this.under.values()) stop.abort();
    this.under.clear();
    this.wanted = [];
  }

  private go(): void {
    for (const page of this.wanted) {
      if (this.under.size >= AT_ONCE || this.isClosed) return;
      if (!this.kept.has(page) && !this.under.has(page)) this.ask(page);
    }
  }

  private ask(page: number): void {
    const stop = new AbortController();
    this.under.set(page, stop);
    const from = page * PAGE_ROWS;
    this.fetch(from, Math.min(PAGE_ROWS, this.rows - from), stop.signal).then(
      (table) => {
        if (stop.signal.aborted) return;
        this.under.delete(page);
        this.keep(page, table);
        this.came(page);
        this.go();
      },
      (error: Error) => {
        if (stop.signal.aborted) return;
        this.under.delete(page);
        this.wanted = [];
        this.failed(error);
      },
    );
  }

  private keep(page: number, table: Table): void {
    this.kept.delete(page);
    this.kept.set(page, table);
    for (const old of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      if (!this.wanted.includes(old)) this.kept.delete(old);
    }
  }
}
