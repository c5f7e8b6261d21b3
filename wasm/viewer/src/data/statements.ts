import type { Order } from "../state/view.ts";
import type { CallOptions, Events } from "./events.ts";

/** A name as SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function orderSql({ column, descending }: Order): string {
  const direction = descending ? "DESC" : "ASC";
  const last = `seq ${direction}`;
  if (column === "ts") return `ts ${direction}, ${last}`;
  return `${identifier(column)} ${direction} NULLS LAST, ts ${direction}, ${last}`;
}

export function selected(columns: readonly string[]): string {
  return [...new Set(["seq", "ts", ...columns])].map(identifier).join(", ");
}

/** The condition of a filter in SQL; of all events for an empty one. */
export function conditionOf(events: Events, filter: string, options: CallOptions): Promise<string> {
  return filter.trim() === "" ? Promise.resolve("TRUE") : events.condition(filter, options);
}
