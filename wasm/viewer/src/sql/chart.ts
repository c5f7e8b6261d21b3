import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Column } from "../data/events.ts";
import type { Table } from "../data/table.ts";
import { decimalText } from "../data/values.ts";
import { isTime } from "../table/cells.ts";
import { shortCount } from "../text/numbers.ts";

export interface Plotted {
  table: Table;
  x: Column;
  y: readonly Column[];
  as: "line" | "bar" | "points";
  isUtc: boolean;
}

/** So many rows are drawn. */
export const POINTS_MAX = 20_000;

const COLOURS = ["--info", "--warning", "--critical", "--good"];

/** Draws columns of a query's rows. */
export function draw(parent: HTMLElement, plotted: Plotted): () => void {
  const { table, x, y, as, isUtc } = plotted;
  const colour = (name: string) => getComputedStyle(parent).getPropertyValue(name).trim();
  const rows = Math.min(table.numRows, POINTS_MAX);
  const isAlongTime = isTime(x) || /^date/i.test(x.type);
  const isScale = isAlongTime || (as !== "bar" && /^(u?int|float|decimal)/i.test(x.type));
  const along = numbers(table, x.name, rows).map((value) => (isAlongTime && value !== null ? value / 1000 : value));
  const order = isScale ? along.map((_, at) => at).filter((at) => along[at] !== null).sort((one, other) => along[one]! - along[other]!) : along.map((_, at) => at);
  const data = [isScale ? order.map((at) => along[at]!) : order, ...y.map(({ name }) => {
    const values = numbers(table, name, rows);
    return order.map((at) => values[at] ?? null);
  })] as uPlot.AlignedData;
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const names = isScale ? undefined : order.map((at) => String(table.getChild(x.name)?.get(at) ?? "–"));
  const series = y.map(({ name }, at) => seriesOf(name, colour(COLOURS[at % COLOURS.length]!), as));
  const chart = new uPlot(
    {
      width: parent.clientWidth,
      height: Math.max(260, parent.clientHeight - 40),
      ...(isUtc ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") } : {}),
      scales: { x: { time: isAlongTime, ...(names ? { range: (_chart: uPlot, from: number, to: number): [number, number] => [from - 0.6, to + 0.6] } : {}) }, y: { range: (_chart: uPlot, from: number, to: number): [number, number] => [Math.min(0, from), to <= 0 ? 1 : to * 1.05] } },
      axes: [
        names ? { ...axis, values: (_chart, splits) => splits.map((split) => (Number.isInteger(split) ? (names[split] ?? "").slice(0, 18) : "")), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 90 } : axis,
        { ...axis, size: 60, values: (_chart, splits) => splits.map((split) => shortCount(split)) },
      ],
      series: [names ? { label: x.name, value: (_chart, at) => names[at] ?? "" } : { label: x.name }, ...series],
    },
    data,
    parent,
  );
  const observer = new ResizeObserver(() => chart.setSize({ width: parent.clientWidth, height: Math.max(260, parent.clientHeight - 40) }));
  observer.observe(parent);
  return () => {
    observer.disconnect();
    chart.destroy();
  };
}

function seriesOf(label: string, stroke: string, as: Plotted["as"]): uPlot.Series {
  if (as === "bar") return { label, stroke, fill: stroke, paths: uPlot.paths.bars!({ size: [0.7, 60] }), points: { show: false } };
  if (as === "points") return { label, stroke, paths: () => null, points: { show: true, size: 5, fill: stroke } };
  return { label, stroke, width: 1.5, points: { show: false } };
}

/** The values of a column as numbers. */
function numbers(table: Table, name: string, rows: number): (number | null)[] {
  const column = table.getChild(name);
  const scale = Number((column?.type as { scale?: number } | undefined)?.scale ?? 0);
  return Array.from({ length: rows }, (_, at) => {
    const value: unknown = column?.get(at);
    if (value === null || value === undefined) return null;
    const number = Number(value instanceof Uint32Array ? decimalText(value, scale) : value);
    return Number.isNaN(number) ? null : number;
  });
}
