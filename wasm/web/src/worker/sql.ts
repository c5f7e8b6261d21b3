import { tableFromIPC } from "apache-arrow";
import type { Grid, Order } from "../protocol.js";

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

/** Bands of severity: none, and from `trace` to `critical`. */
const BANDS = 7;

/** The query of how many events of each band are in stretches of time. */
export function counting(condition: string, { origin, step, count }: Grid): string {
  const [from, until] = [origin * 1000, (origin + step * count) * 1000];
  return `SELECT ((epoch_us(ts) - ${from}) // ${step * 1000})::INTEGER AS bucket,
    CASE WHEN severity IS NULL OR severity < 1 THEN 0 ELSE least((severity - 1) // 4 + 1, ${BANDS - 1}) END::INTEGER AS band,
    count(*)::DOUBLE AS n
    FROM events WHERE ${condition} AND ts >= make_timestamp(${from}) AND ts < make_timestamp(${until}) GROUP BY ALL`;
}

/** The counts that the rows of that query are: the stretches of the first band, then of the next. */
export function counted(stream: Uint8Array, { count }: Grid): Float64Array {
  const counts = new Float64Array(BANDS * count);
  for (const { bucket, band, n } of tableFromIPC(stream)) {
    if (bucket >= 0 && bucket < count) counts[band * count + bucket] = n;
  }
  return counts;
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
