import { signal } from "@preact/signals";
import type { Table } from "../data/table.ts";

/** Events that came since the page was opened: how many, and the numbers of the last ones. */
export const arrived = signal<{ count: number; last: ReadonlySet<string> }>({ count: 0, last: new Set() });

/** So many rows are marked as new. */
const MARKED = 1000;

/** Takes rows that have just come. */
export function cameIn(rows: Table): void {
  const numbers = rows.getChild("seq");
  const last = [...arrived.value.last];
  for (let row = 0; row < rows.numRows; row++) last.push(String(numbers?.get(row)));
  arrived.value = { count: arrived.value.count + rows.numRows, last: new Set(last.slice(-MARKED)) };
}
