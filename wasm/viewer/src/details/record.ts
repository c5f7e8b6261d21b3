import type { Table } from "../data/table.ts";
import type { Column } from "../data/events.ts";
import { isTime } from "../table/cells.ts";
import { microsOf, plain } from "../data/values.ts";

/** A field of an event that has a value. */
export interface Field {
  column: Column;
  value: unknown;
}

/** An event with all that it has. */
export interface Record_ {
  seq: string;
  micros: bigint;
  fields: Field[];
  /** The event as it was written, as far as columns say it. */
  json: Record<string, unknown>;
}

/** Columns that are the store's own. */
const INNER = new Set(["rest", "shape", "recorded_at", "day"]);

/** The event of a row. */
export function recordOf(table: Table, columns: readonly Column[]): Record_ | undefined {
  if (table.numRows === 0) return undefined;
  const at = (name: string) => table.getChild(name)?.get(0) as unknown;
  const fields: Field[] = [];
  const json: Record<string, unknown> = {};
  for (const column of columns) {
    const value = at(column.name);
    if (value === null || value === undefined || INNER.has(column.name)) continue;
    fields.push({ column, value: plain(value) });
    if (column.name === "template" && column.path === null) continue;
    place(json, column.path ?? [column.name], jsonValue(column, value));
  }
  merge(json, parsed(at("rest")));
  return { seq: String(at("seq")), micros: microsOf(at("ts")) ?? 0n, fields, json };
}

function jsonValue(column: Column, value: unknown): unknown {
  if (isTime(column)) return isoOf(microsOf(value));
  if (column.path === null && (column.name === "before" || column.name === "after")) return parsed(value) ?? value;
  return plain(value);
}

/** An instant as RFC 3339, to the microsecond where it has one. */
export function isoOf(micros: bigint | undefined): string | null {
  if (micros === undefined) return null;
  const second = micros >= 0n ? micros / 1_000_000n : (micros - 999_999n) / 1_000_000n;
  const fraction = micros - second * 1_000_000n;
  const text = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  return `${text}${fraction === 0n ? "" : `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`}Z`;
}

/** A text as JSON; nothing if it is none. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string") return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

/** Sets a value under keys; `__proto__` is a key like others. */
function place(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let inner = object;
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(inner, key) ? inner[key] : undefined;
    if (isObject(next)) inner = next;
    else {
      const made: Record<string, unknown> = {};
      define(inner, key, made);
      inner = made;
    }
  }
  define(inner, path.at(-1)!, value);
}

/** What columns do not hold, put where it belongs. */
function merge(into: Record<string, unknown>, more: unknown): void {
  if (!isObject(more)) return;
  for (const [key, value] of Object.entries(more)) {
    const known = Object.hasOwn(into, key) ? into[key] : undefined;
    if (isObject(known) && isObject(value)) merge(known, value);
    else define(into, key, value);
  }
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
