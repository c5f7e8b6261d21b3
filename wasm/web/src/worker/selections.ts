import { tableFromIPC } from "apache-arrow";
import { ClosedError, InvalidError, LimitError } from "../errors.js";

/** So many may be open at once. */
const MOST = 64;
/** So many rows a page may have. */
const PAGE_ROWS = 10_000;
/** Times between which no file is looked for. */
const TOGETHER_US = 60_000_000n;

/** The numbers and times of events in an order. */
export interface Selected {
  ts: BigInt64Array;
  seq: BigInt64Array;
}

/** Some events one after the other in a selection. */
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

/** The times and numbers that a query gave. */
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

/** The same from the last one to the first. */
export function reversed({ ts, seq }: Selected): Selected {
  return { ts: ts.reverse(), seq: seq.reverse() };
}

/** The spans of some times, in order: times that lie close together are in one. Of each its first and its last instant. */
export function spans(times: BigInt64Array): BigInt64Array {
  const bounds: bigint[] = [];
  for (const time of times.slice().sort()) {
    const last = bounds.at(-1);
    if (last !== undefined && time - last <= TOGETHER_US) bounds[bounds.length - 1] = time;
    else bounds.push(time, time);
  }
  return BigInt64Array.from(bounds);
}
