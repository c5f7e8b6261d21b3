import type { Order } from "../protocol.js";

/** All that is shown of events; the other columns are Daybook's own. */
const SHOWN = "events.* EXCLUDE (recorded_at, shape, day, template)";

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The query of events that match, the oldest first. */
export function matching(condition: string, limit: number | null, columns: string[] | null): string {
  const most = limit === null ? "" : ` LIMIT ${Math.max(0, Math.floor(limit))}`;
  return `SELECT ${shown(columns)} FROM events WHERE ${condition} ORDER BY ts, seq${most}`;
}

/** The query of the times and numbers of events that match, in an order. */
export function selecting(condition: string, { column = "ts", descending = false }: Order): string {
  const way = descending ? "DESC" : "ASC";
  const first = column === "ts" ? "" : `${identifier(column)} ${way} NULLS LAST, `;
  return `SELECT epoch_us(ts) AS ts, seq FROM events WHERE ${condition} ORDER BY ${first}ts ${way}, seq ${way}`;
}

/** The query of some events, by their numbers, in that order. */
export function paging(seqs: BigInt64Array, [from, to]: [bigint, bigint], columns: string[] | null): string {
  const wanted = `SELECT unnest([${seqs.join(", ")}]::BIGINT[]) AS wanted, unnest(range(${seqs.length})) AS place`;
  const within = `ts BETWEEN make_timestamp(${from}) AND make_timestamp(${to})`;
  const names = columns && [...new Set(["seq", ...columns])];
  return `SELECT ${shown(names)} FROM events JOIN (${wanted}) ON events.seq = wanted WHERE ${within} ORDER BY place`;
}

function shown(columns: string[] | null): string {
  return columns?.map((name) => `events.${identifier(name)}`).join(", ") ?? SHOWN;
}
