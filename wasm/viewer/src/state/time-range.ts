/** The span of time that is looked at: all of it, the last part before the newest event, or between two instants. */
export type TimeRange =
  | { kind: "all" }
  | { kind: "last"; length: string }
  | { kind: "between"; since?: string; until?: string };

/** The first and the last instant of the events, in milliseconds since 1970. */
export interface Span {
  first: number;
  last: number;
}

/** Lengths that the picker offers, with their names. */
export const LENGTHS: readonly [string, string][] = [
  ["5m", "5 minutes"],
  ["15m", "15 minutes"],
  ["1h", "1 hour"],
  ["6h", "6 hours"],
  ["24h", "24 hours"],
  ["2d", "2 days"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["365d", "1 year"],
];

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

/** Milliseconds of a length such as `24h` or `1h30m`; nothing if it is none. */
export function lengthMs(text: string): number | undefined {
  if (!/^(\d+[smhdw])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g)) total += Number(count) * UNITS[unit!]!;
  return total;
}

/** The instants that a range stands for; `last` counts back from the newest event. */
export function boundsOf(range: TimeRange, span: Span | undefined): { since?: number; until?: number } {
  if (range.kind === "all") return {};
  if (range.kind === "last") {
    const length = lengthMs(range.length);
    return length === undefined || !span ? {} : { since: span.last - length + 1 };
  }
  const since = range.since === undefined ? NaN : Date.parse(range.since);
  const until = range.until === undefined ? NaN : Date.parse(range.until);
  return { ...(Number.isNaN(since) ? {} : { since }), ...(Number.isNaN(until) ? {} : { until }) };
}

/** A range between two instants in milliseconds. */
export function between(since: number, until: number): TimeRange {
  return { kind: "between", since: new Date(since).toISOString(), until: new Date(until).toISOString() };
}

/** The filter of the text and the range together. */
export function within(filter: string, range: TimeRange, span: Span | undefined): string {
  const { since, until } = boundsOf(range, span);
  const terms = [];
  if (since !== undefined) terms.push(`since:${new Date(since).toISOString()}`);
  if (until !== undefined) terms.push(`until:${new Date(until).toISOString()}`);
  if (terms.length === 0) return filter;
  return filter.trim() === "" ? terms.join(" ") : `(${filter}) ${terms.join(" ")}`;
}

/** A length of time in milliseconds, in words of one unit. */
export function lengthText(ms: number): string {
  const steps: [number, string][] = [[86400e3, "d"], [3600e3, "h"], [60e3, "min"], [1e3, "s"]];
  const [unit, name] = steps.find(([unit]) => ms >= unit) ?? [1, "ms"];
  const count = ms / unit;
  return `${count >= 10 || Number.isInteger(count) ? Math.round(count) : count.toFixed(1)} ${name}`;
}
