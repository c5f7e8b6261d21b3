import { tableFromIPC } from "apache-arrow";
import { ClosedError, InvalidError, LimitError } from "../errors.js";
import type { Order } from "../protocol.js";

/** So many may be open at once. */
const MOST = 64;
/** So many rows a page may have. */
const PAGE_ROWS = 100_000;

/** The numbers and times of events in an order. */
export interface Selected {
  ts: BigInt64Array;
  seq: BigInt64Array;
}

/** Some events one after the other in a selection, and the span of their times. */
export interface Page {
  seqs: BigInt64Array;
  times: BigInt64Array;
}

/** Selections that are open: in memory there is only which events they have, in order. */
export class Selections {
  private readonly open = new Map<number, Selected>();
  private next = 1;

  add(selected: Selected): { selection: number; length: number } {
    if (this.open.size >= MOST) {
      throw new LimitError("limit", `${MOST} selections are open`, "close those that are no longer shown");
    }
    const selection = this.next++;
    this.open.set(selection, selected);
    return { selection, length: selected.seq.length };
  }

  page(selection: number, from: number, count: number): Page {
    const { ts, seq } = this.get(selection);
    if (!(Number.isSafeInteger(from) && from >= 0 && Number.isSafeInteger(count) && count >= 0 && count <= PAGE_ROWS)) {
      throw new InvalidError("invalid", `there is no page of ${count} rows at ${from}`, `a page begins at 0 or later, and has at most ${PAGE_ROWS} rows`);
    }
    return { seqs: seq.subarray(from, from + count), times: ts.subarray(from, from + count) };
  }

  index(selection: number, seq: bigint): number | undefined {
    const at = this.get(selection).seq.indexOf(seq);
    return at < 0 ? undefined : at;
  }

  release(selection: number): void {
    this.open.delete(selection);
  }

  private get(selection: number): Selected {
    const selected = this.open.get(selection);
    if (!selected) throw new ClosedError("closed", "the selection is closed");
    return selected;
  }
}

/** The query whose rows are a selection. */
export function selecting(condition: string, { column = "ts", descending = false }: Order): string {
  const way = descending ? "DESC" : "ASC";
  const first = column === "ts" ? "" : `${identifier(column)} ${way} NULLS LAST, `;
  return `SELECT epoch_us(ts) AS ts, seq FROM events WHERE ${condition} ORDER BY ${first}ts ${way}, seq ${way}`;
}

/** The rows of {@link selecting}. */
export function selected(stream: Uint8Array): Selected {
  const table = tableFromIPC(stream);
  const column = (name: string) => {
    const values = new BigInt64Array(table.numRows);
    let at = 0;
    for (const { values: some } of table.getChild(name)?.data ?? []) {
      values.set(some as BigInt64Array, at);
      at += some.length;
    }
    return values;
  };
  return { ts: column("ts"), seq: column("seq") };
}

/** The query of a page's rows, in its order. */
export function paging({ seqs, times }: Page, columns: string[] | null): string {
  const [from, to] = span(times);
  const names = columns && [...new Set(["seq", ...columns])];
  const shown = names ? names.map((name) => `events.${identifier(name)}`).join(", ") : SHOWN;
  const wanted = `SELECT unnest([${seqs.join(", ")}]::BIGINT[]) AS wanted, unnest(range(${seqs.length})) AS place`;
  return `SELECT ${shown} FROM events JOIN (${wanted}) ON events.seq = wanted WHERE ts BETWEEN make_timestamp(${from}) AND make_timestamp(${to}) ORDER BY place`;
}

/** The first and the last of some times. */
export function span(times: BigInt64Array): [bigint, bigint] {
  let [from, to] = [times[0] ?? 0n, times[0] ?? 0n];
  for (const time of times) {
    if (time < from) from = time;
    if (time > to) to = time;
  }
  return [from, to];
}

/** All that is shown of events; the other columns are Daybook's own. */
export const SHOWN = "events.* EXCLUDE (recorded_at, shape, day, template)";

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
