import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Column } from "../data/events.ts";
import type { Table } from "../data/table.ts";
import { widths, zone } from "../state/preferences.ts";
import { Header } from "../table/Header.tsx";
import { written } from "../table/cells.ts";
import { ScrolledRows } from "../table/scrolled-rows.ts";
import { countText } from "../text/numbers.ts";

/** So many rows say how wide a column is. */
const SAMPLED = 60;
const CHARACTER_WIDTH = 7.4;

/** Widths in pixels that fit the first values of columns, as far as that is not too wide. */
function widthsOf(table: Table, columns: readonly Column[]): number[] {
  return columns.map((column) => {
    const values = table.getChild(column.name);
    const lengths = Array.from({ length: Math.min(SAMPLED, table.numRows) }, (_, at) => written(column, values?.get(at), { zone: "utc", newest: undefined }).text.length);
    return Math.round(Math.min(520, Math.max(70, Math.max(column.name.length, ...lengths) * CHARACTER_WIDTH + 28)));
  });
}

/** Rows of a query; only those that are seen are drawn. */
export function ResultGrid({ table, columns }: { table: Table; columns: readonly Column[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const inZone = zone.value;
  useLayoutEffect(() => {
    scroller.current!.scrollTop = 0;
    const rows = new ScrolledRows({
      scroller: scroller.current!, body: body.current!, rows: table.numRows, columns, style: { zone: inZone, newest: undefined }, find: (at) => ({ table, at }),
    });
    return () => rows.destroy();
  }, [table, columns, inZone]);
  const natural = useMemo(() => widthsOf(table, columns), [table, columns]);
  const tracks = [...columns.map(({ name }, at) => `${widths.value[name] ?? natural[at]}px`), "1fr"].join(" ");
  useLayoutEffect(() => scroller.current!.style.setProperty("--tracks", tracks), [tracks]);
  return (
    <div class="grid" role="grid" tabIndex={0} ref={scroller} aria-label={`Rows: ${countText(table.numRows)}`} aria-rowcount={table.numRows + 1} aria-colcount={columns.length}>
      <Header columns={columns} />
      <div class="tbody" role="rowgroup" ref={body} />
    </div>
  );
}
