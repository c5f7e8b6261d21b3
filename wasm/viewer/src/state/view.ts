import type { TimeRange } from "./time-range.ts";

export const TABS = ["search", "sql", "patterns", "overview", "audit"] as const;
export type Tab = (typeof TABS)[number];

export const PATTERN_VIEWS = ["findings", "templates", "sequences", "bursts", "rhythms", "actors"] as const;
export type PatternView = (typeof PATTERN_VIEWS)[number];

export type Order = { column: string; descending: boolean };

/** How the rows of a query are shown. */
export interface Shown {
  as: "table" | "chart";
  /** What the chart is: its kind, and the columns of its axes; chosen by the types unless told. */
  chart?: "line" | "bar" | "points";
  x?: string;
  y?: string[];
}

/** What the page shows; all of it stands in its address. */
export interface View {
  tab: Tab;
  filter: string;
  range: TimeRange;
  columns: string[];
  order: Order;
  /** The columns whose values are counted. */
  facets: string[];
  /** The event that is open, by its `seq`. */
  event?: string;
  sql: string;
  shown: Shown;
  patterns: PatternView;
  /** The period of the audit report, as days. */
  audit: { from?: string; until?: string };
}

export const COLUMNS: readonly string[] = ["ts", "severity", "source", "kind", "actor", "message"];
export const FACETS: readonly string[] = ["severity", "kind", "source", "actor", "status", "entity_type"];

export const DEFAULT_SQL = "SELECT kind, count(*) AS events\nFROM events\nGROUP BY kind\nORDER BY events DESC";

/** What a page without an address shows. */
export function initial(): View {
  return {
    tab: "search",
    filter: "",
    range: { kind: "all" },
    columns: [...COLUMNS],
    order: { column: "ts", descending: true },
    facets: [...FACETS],
    sql: DEFAULT_SQL,
    shown: { as: "table" },
    patterns: "findings",
    audit: {},
  };
}
