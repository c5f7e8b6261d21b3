import type { Column } from "../data/events.ts";
import { bandOf, severityName } from "../data/severity.ts";
import { decimalText, microsOf, text } from "../data/values.ts";
import { durationText } from "../text/numbers.ts";
import { exactTime, relativeText, timeText } from "../text/times.ts";
import type { Zone } from "../state/preferences.ts";

/** How values of a column stand in the table. */
export interface CellStyle {
  zone: Zone;
  /** If times are said as how long before an instant they were: that instant. */
  newest: number | undefined;
}

/** What stands in a cell, and what a pointer on it is told. */
export interface Written {
  text: string;
  title: string;
  class: string;
}

/** Text in cells is cut: the event has the rest. */
const LONGEST = 400;

export function isTime(column: Column): boolean {
  return /timestamp/i.test(column.type);
}

export function isNumber(column: Column): boolean {
  return /^(u?int|double|float|decimal)/i.test(column.type) && column.name !== "severity";
}

/** What stands in a cell. */
export function written(column: Column, value: unknown, style: CellStyle): Written {
  if (value === null || value === undefined) return { text: "", title: "", class: "" };
  if (isTime(column)) return writtenTime(value, style);
  if (value instanceof Uint32Array) return { text: decimalText(value, column.scale ?? 0), title: "", class: "number" };
  if (/^date/i.test(column.type)) return { text: new Date(Number(value)).toISOString().slice(0, 10), title: "", class: "" };
  if (column.name === "severity" && column.path === null) {
    const severity = Number(value);
    const name = severityName(severity);
    return { text: name, title: `${name} (${severity})`, class: `level level-${bandOf(severity)}` };
  }
  if (column.name === "duration_ms" && column.path === null) {
    return { text: durationText(Number(value)), title: `${Number(value)} ms`, class: "number" };
  }
  const line = text(value).replace(/\s+/g, " ");
  const short = line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
  return { text: short, title: short.length > 20 ? short : "", class: isNumber(column) ? "number" : "" };
}

function writtenTime(value: unknown, { zone, newest }: CellStyle): Written {
  const micros = microsOf(value);
  if (micros === undefined) return { text: String(value), title: "", class: "time" };
  const ms = Number(micros) / 1000;
  const exact = exactTime(micros, zone);
  if (newest === undefined) return { text: timeText(ms, zone), title: exact, class: "time" };
  return { text: relativeText(ms, newest), title: exact, class: "time" };
}

const WIDTHS: Readonly<Record<string, number>> = {
  ts: 188, severity: 76, level: 76, source: 110, kind: 150, actor: 140, status: 84, duration_ms: 92, entity_type: 110, entity_id: 130,
};

/** The width of a column as CSS has it. */
export function trackOf(name: string, isLast: boolean, widths: Readonly<Record<string, number>>): string {
  const width = widths[name] ?? WIDTHS[name] ?? (name === "message" ? 480 : 140);
  return isLast ? `minmax(${width}px, 1fr)` : `${width}px`;
}
