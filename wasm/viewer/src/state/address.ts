import type { TimeRange } from "./time-range.ts";
import { lengthMs } from "./time-range.ts";
import { COLUMNS, DEFAULT_SQL, FACETS, PATTERN_VIEWS, TABS, type Shown, type View, initial } from "./view.ts";

/** A view as the part of an address after `#`; what is as usual is left out. */
export function addressOf(view: View): string {
  const parts = new URLSearchParams();
  const set = (name: string, value: string | undefined, usual = "") => {
    if (value !== undefined && value !== usual) parts.set(name, value);
  };
  set("q", view.filter);
  if (view.range.kind === "last") set("last", view.range.length);
  if (view.range.kind === "between") {
    set("since", view.range.since);
    set("until", view.range.until);
  }
  set("columns", list(view.columns), list(COLUMNS));
  set("order", `${view.order.descending ? "-" : ""}${view.order.column}`, "-ts");
  set("facets", list(view.facets), list(FACETS));
  set("event", view.event);
  set("sql", view.sql, DEFAULT_SQL);
  set("as", view.shown.as, "table");
  set("chart", view.shown.chart);
  set("x", view.shown.x);
  set("y", view.shown.y && list(view.shown.y));
  set("patterns", view.patterns, "findings");
  set("from", view.audit.from);
  set("to", view.audit.until);
  const query = parts.toString();
  return `#/${view.tab}${query ? `?${query}` : ""}`;
}

/** The view of an address; what it does not say, or says wrongly, is as usual. */
export function viewOf(address: string): View {
  const [path = "", query = ""] = split(address.replace(/^#\/?/, ""));
  const parts = new URLSearchParams(query);
  const view = initial();
  view.tab = one(TABS, path) ?? "search";
  view.filter = parts.get("q") ?? "";
  view.range = rangeOf(parts);
  view.columns = listed(parts.get("columns")) ?? view.columns;
  view.facets = listed(parts.get("facets")) ?? view.facets;
  const order = parts.get("order");
  if (order) view.order = { column: order.replace(/^-/, ""), descending: order.startsWith("-") };
  const event = parts.get("event");
  if (event && /^\d{1,18}$/.test(event)) view.event = event;
  view.sql = parts.get("sql") ?? view.sql;
  view.shown = shownOf(parts);
  view.patterns = one(PATTERN_VIEWS, parts.get("patterns") ?? "") ?? "findings";
  const [from, until] = [parts.get("from"), parts.get("to")];
  view.audit = { ...(from ? { from } : {}), ...(until ? { until } : {}) };
  return view;
}

function rangeOf(parts: URLSearchParams): TimeRange {
  const last = parts.get("last");
  if (last && lengthMs(last) !== undefined) return { kind: "last", length: last };
  const [since, until] = [parts.get("since"), parts.get("until")].map((text) => (text && !Number.isNaN(Date.parse(text)) ? text : undefined));
  if (since === undefined && until === undefined) return { kind: "all" };
  return { kind: "between", ...(since ? { since } : {}), ...(until ? { until } : {}) };
}

function shownOf(parts: URLSearchParams): Shown {
  const chart = one(["line", "bar", "points"] as const, parts.get("chart") ?? "");
  const x = parts.get("x");
  const y = listed(parts.get("y"));
  return { as: parts.get("as") === "chart" ? "chart" : "table", ...(chart ? { chart } : {}), ...(x ? { x } : {}), ...(y ? { y } : {}) };
}

function one<T extends string>(known: readonly T[], given: string): T | undefined {
  return known.find((each) => each === given);
}

/** Names, with commas between them; a comma in a name is `\,`. */
function list(names: readonly string[]): string {
  return names.map((name) => name.replace(/[\\,]/g, "\\$&")).join(",");
}

function listed(text: string | null): string[] | undefined {
  if (text === null) return undefined;
  const names = [...text.matchAll(/((?:\\.|[^\\,])+)(?:,|$)/g)].map(([, name]) => name!.replace(/\\(.)/g, "$1"));
  return [...new Set(names)];
}

function split(address: string): [string, string] {
  const at = address.indexOf("?");
  return at < 0 ? [address, ""] : [address.slice(0, at), address.slice(at + 1)];
}
