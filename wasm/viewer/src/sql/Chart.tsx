import { useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../app/Failure.tsx";
import { asError } from "../data/answer.ts";
import type { Column } from "../data/events.ts";
import type { Table } from "../data/table.ts";
import { show, view } from "../state/page.ts";
import { theme, zone } from "../state/preferences.ts";
import type { Shown } from "../state/view.ts";
import { isNumber } from "../table/cells.ts";
import { countText } from "../text/numbers.ts";
import { axes } from "./columns.ts";

/** The rows of a query as a chart, with what stands along and up. */
export function Chart({ table, columns }: { table: Table; columns: readonly Column[] }) {
  const usual = axes(columns);
  const { shown } = view.value;
  const column = (name: string | undefined) => columns.find((one) => one.name === name);
  const x = column(shown.x) ?? column(usual.x);
  const chosen = (shown.y ?? []).map(column).filter((one) => one !== undefined);
  const y = chosen.length > 0 ? chosen : usual.y.map((name) => column(name)!);
  const as = shown.chart ?? usual.chart;
  const set = (change: Partial<Shown>) => show({ shown: { ...shown, as: "chart", ...change } }, { replace: true });
  const numbers = columns.filter(isNumber);
  if (!x || y.length === 0) return <p class="nothing">A chart needs a column of numbers, beside one that stands along.</p>;
  return (
    <div class="plot">
      <div class="row plot-choices">
        <label>As <select value={as} onChange={(event) => set({ chart: event.currentTarget.value as "line" })}>
          <option value="line">lines</option><option value="bar">bars</option><option value="points">points</option>
        </select></label>
        <label>Along <select value={x.name} onChange={(event) => set({ x: event.currentTarget.value })}>{columns.map(({ name }) => <option key={name}>{name}</option>)}</select></label>
        <fieldset class="row"><legend class="hidden">Up</legend>
          {numbers.slice(0, 8).map(({ name }) => {
            const isOn = y.some((one) => one.name === name);
            const next = isOn ? y.filter((one) => one.name !== name) : [...y, column(name)!];
            return <label class="inline" key={name}><input type="checkbox" checked={isOn} disabled={isOn && y.length === 1} onChange={() => set({ y: next.map((one) => one.name) })} /> {name}</label>;
          })}
        </fieldset>
      </div>
      <Canvas table={table} x={x} y={y} as={as} />
    </div>
  );
}

interface CanvasProps {
  table: Table;
  x: Column;
  y: readonly Column[];
  as: "line" | "bar" | "points";
}

function Canvas({ table, x, y, as }: CanvasProps) {
  const parent = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<Error>();
  const isUtc = zone.value === "utc";
  const names = y.map(({ name }) => name).join(", ");
  useEffect(() => {
    let isGone = false;
    let clear = () => {};
    import("./chart.ts").then(
      ({ draw }) => {
        if (!isGone) clear = draw(parent.current!, { table, x, y, as, isUtc });
      },
      (failed: unknown) => setError(asError(failed)),
    );
    return () => {
      isGone = true;
      clear();
    };
  }, [table, x.name, names, as, isUtc, theme.value]);
  if (error) return <Failure error={error} />;
  return <div class="canvas" ref={parent} role="img" aria-label={`Chart of ${names} by ${x.name}, ${countText(table.numRows)} rows; the table has the numbers`} />;
}
