import type { Difference } from "../details/diff.ts";

type Counts = Record<string, number>;

/** An event as reports list it. */
export interface Listed {
  seq: number;
  ts: string;
  kind?: string;
  actor?: string;
  source?: string;
  status?: string;
  level?: string;
  message?: string;
}

type Changed = Listed & { diff: { path: string; change: Difference["kind"]; before?: unknown; after?: unknown }[] };

/** The audit report, as the analysis gives it. */
export interface AuditReport {
  period: { from: string; until: string; made_at: string };
  filter: string;
  totals: { events: number; errors: number; error_rate: number; actors: number; entities: number; changes: number; first: string | null; last: string | null };
  by_kind: Counts;
  by_actor: Counts;
  by_day: Counts;
  errors_by_day: Counts;
  failures: Listed[];
  changes: { entity_type: string | null; entity_id: string | null; changes: Changed[] }[];
  sessions: { session: string; actor: string | null; from: string | null; duration_ms: number; events: number; errors: number; outcome: string }[];
  out_of_hours: { hours: string; count: number; by_actor: Counts; events: Listed[] };
  gaps: { from: string; to: string; hours: number }[];
  redacted: Counts;
  left_out: string[];
}
