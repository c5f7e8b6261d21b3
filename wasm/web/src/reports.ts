/** Any JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** An event, by the names of its columns. */
export type Event = { [column: string]: Json };

/** Values and how often each occurs, the most frequent first. */
export type Counts = { [value: string]: number };

export interface Durations {
  count: number;
  mean: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface StatsReport {
  total: number;
  from: string | null;
  to: string | null;
  recent_24h: number;
  by_kind: Counts;
  by_level: Counts;
  by_source: Counts;
  by_actor: Counts;
  by_entity_type: Counts;
  by_status: Counts;
  successful: number;
  failed: number;
  error_rate: number;
  duration_ms: Durations & { by_source_and_kind?: (Durations & { source: string | null; kind: string | null })[] };
  /** How many values each list of counts lacks, where it has not all of them. */
  left_out?: Counts;
}

export interface TimelineReport {
  every: string;
  by?: string;
  values?: string[];
  total: number;
  /** The stretches from the first event to the last, also those without events. */
  buckets: { ts: string; count: number; errors: number; by?: Counts; other?: number }[];
}

export interface FacetsReport {
  facets: { column: string; distinct: number; missing: number; values: { value: string; count: number }[] }[];
}

/** Something that is not usual. */
export interface Finding {
  what:
    | "burst" | "drop" | "silence" | "new" | "step" | "growth" | "slower" | "faster" | "missed" | "session" | "actor"
    | "co-change" | "rhythm" | "sequence";
  about: string;
  title: string;
  from?: string;
  to?: string;
  expected?: number;
  seen?: number;
  p: number;
  score: number;
  /** Filters that show it. */
  show: string[];
  counts?: number[];
  also?: string[];
}

export interface PatternsReport {
  events: number;
  from: string | null;
  to: string | null;
  alarm: number;
  usual: string[];
  findings: Finding[];
  found: number;
  left_out: string[];
}

export interface Difference {
  path: string;
  change: "added" | "removed" | "changed";
  before?: Json;
  after?: Json;
  lines?: string[];
}

/** An event, and what it changed. */
export type Changed = Event & { diff: Difference[] };

export interface HistoryReport {
  /** The newest first. */
  changes: Changed[];
  more: boolean;
}

export interface AuditReport {
  period: { from: string; until: string; made_at: string };
  filter: string;
  totals: {
    events: number;
    errors: number;
    error_rate: number;
    actors: number;
    entities: number;
    changes: number;
    first: string | null;
    last: string | null;
  };
  by_kind: Counts;
  by_actor: Counts;
  by_day: Counts;
  errors_by_day: Counts;
  failures: Event[];
  changes: { entity_type: string | null; entity_id: string | null; changes: Changed[] }[];
  sessions: Event[];
  out_of_hours: { hours: string; count: number; by_actor: Counts; events: Event[] };
  gaps: { from: string; to: string; hours: number }[];
  redacted: Counts;
  upkeep: Event[];
  left_out: string[];
  /** What a store says of itself; a bundle says nothing. */
  store: Event;
}
