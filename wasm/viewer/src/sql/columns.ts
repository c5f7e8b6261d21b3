import type { Column } from "../data/events.ts";
import type { Table } from "../data/table.ts";
import { isNumber, isTime } from "../table/cells.ts";

/** The columns of a query's rows. */
export function columnsOf(table: Table): Column[] {
  return table.schema.fields.map(({ name, type }) => {
    const scale = (type as { scale?: unknown }).scale;
    return { name, path: [name], type: String(type), ...(typeof scale === "number" ? { scale } : {}) };
  });
}

/** What a chart of rows shows unless told: time or the first column along, numbers up. */
export function axes(columns: readonly Column[]): { x: string | undefined; y: string[]; chart: "line" | "bar" } {
  const isAlong = (column: Column) => isTime(column) || /^date/i.test(column.type);
  const along = columns.find(isAlong) ?? columns.find((column) => !isNumber(column)) ?? columns[0];
  const up = columns.filter((column) => column !== along && isNumber(column)).map(({ name }) => name);
  return { x: along?.name, y: up.slice(0, 4), chart: along && isAlong(along) ? "line" : "bar" };
}
