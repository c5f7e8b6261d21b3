import { signal } from "@preact/signals";
import type { Table } from "../data/table.ts";

/** Events that came since the page was opened: how many, and the numbers of the last ones. What is shown is asked anew when it changes. */
export const arrived = signal<{ count: number; last: ReadonlySet<string> }>({ count: 0, last: new Set() });

/** So many rows are marked as new. */
const MARKED = 1000;
/** The page is asked anew at most so often. */
const EVERY_MS = 500;

let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Takes rows that have just come. */
export function cameIn(rows: Table): void {
  const numbers = rows.getChild("seq");
  for (let row = 0; row < rows.numRows; row++) waiting.push(String(numbers?.get(row)));
  timer ??= setTimeout(() => {
    const { count, last } = arrived.value;
    arrived.value = { count: count + waiting.length, last: new Set([...last, ...waiting].slice(-MARKED)) };
    waiting = [];
    timer = undefined;
  }, EVERY_MS);
}

/** Begins anew, for other events. */
export function forgetArrivals(): void {
  waiting = [];
  arrived.value = { count: 0, last: new Set() };
}
