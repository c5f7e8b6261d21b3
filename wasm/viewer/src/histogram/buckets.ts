import type { Grid } from "@daybook/web";
import { BANDS } from "../data/severity.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE,
  10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY,
];

/** Events in stretches of time, by band of severity. */
export interface Buckets extends Grid {
  /** For each band, a count for each stretch. */
  counts: Float64Array[];
  total: number;
}

/** Stretches of a round length, about so many, that cover a span; they begin at round times of a zone. */
export function gridOf(since: number, until: number, wanted: number, offsetMs = 0): Grid {
  const length = Math.max(1, until - since);
  const step = STEPS.find((step) => length / step <= wanted) ?? Math.ceil(length / wanted / (364 * DAY)) * 364 * DAY;
  // Weeks begin on Mondays: 1970 began on a Thursday.
  const phase = (step >= 7 * DAY ? 4 * DAY : 0) - offsetMs;
  const origin = Math.floor((since - phase) / step) * step + phase;
  return { origin, step, count: Math.max(1, Math.ceil((until - origin) / step)) };
}

/** The counts of a grid, band after band. */
export function bucketsOf(grid: Grid, all: Float64Array): Buckets {
  const counts = BANDS.map((_, band) => all.subarray(band * grid.count, (band + 1) * grid.count));
  return { ...grid, counts, total: all.reduce((sum, one) => sum + one, 0) };
}

/** Events of a stretch, of all bands. */
export function totalAt(buckets: Buckets, at: number): number {
  return buckets.counts.reduce((sum, counts) => sum + (counts[at] ?? 0), 0);
}

/** Events of each band. */
export function bandTotals(buckets: Buckets): number[] {
  return buckets.counts.map((counts) => counts.reduce((sum, one) => sum + one, 0));
}

/** A round number that is at least as much, for the top of an axis. */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((round) => round >= value)!;
}

/** Round instants that are labelled, at most so many. */
export function labelled({ origin, step, count }: Grid, wanted: number, offsetMs = 0): { step: number; instants: number[] } {
  const end = origin + step * count;
  const labels = gridOf(origin, end, Math.max(1, wanted), offsetMs);
  const instants = Array.from({ length: labels.count }, (_, at) => labels.origin + at * labels.step);
  return { step: labels.step, instants: instants.filter((instant) => instant >= origin && instant < end) };
}
