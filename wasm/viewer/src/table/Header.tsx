import { useRef } from "preact/hooks";
import type { Column } from "../data/events.ts";
import { show, view } from "../state/page.ts";
import { widths } from "../state/preferences.ts";

/** The names of the columns: a click sorts, the right edge resizes. */
export function Header({ columns, sortable = false }: { columns: readonly Column[]; sortable?: boolean }) {
  return (
    <div class="thead" role="row" aria-rowindex={1}>
      {columns.map((column, at) => <HeaderCell key={column.name} column={column} at={at} sortable={sortable} />)}
    </div>
  );
}

function HeaderCell({ column, at, sortable }: { column: Column; at: number; sortable: boolean }) {
  const cell = useRef<HTMLDivElement>(null);
  const { order, columns } = view.value;
  const isSorted = sortable && order.column === column.name;
  const sort = () => sortable && show({ order: { column: column.name, descending: isSorted ? !order.descending : column.name === "ts" } });
  const resize = (width: number) => (widths.value = { ...widths.value, [column.name]: Math.max(40, Math.round(width)) });
  const move = (step: number) => {
    const names = columns.filter((name) => name !== column.name);
    names.splice(Math.max(0, Math.min(names.length, at + step)), 0, column.name);
    show({ columns: names }, { replace: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0 || !event.altKey) return;
    event.preventDefault();
    if (event.shiftKey && sortable) move(step);
    else resize(cell.current!.offsetWidth + 16 * step);
  };
  const onPointerDown = (event: PointerEvent) => {
    event.preventDefault();
    const handle = event.currentTarget as HTMLElement;
    const [from, width] = [event.clientX, cell.current!.offsetWidth];
    handle.setPointerCapture(event.pointerId);
    const onMove = (moved: PointerEvent) => resize(width + moved.clientX - from);
    handle.addEventListener("pointermove", onMove);
    handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", onMove), { once: true });
  };
  return (
    <div class="th" role="columnheader" aria-colindex={at + 1} aria-sort={isSorted ? (order.descending ? "descending" : "ascending") : "none"} ref={cell}>
      <button type="button" title={`${column.path?.join(".") ?? column.name} (${column.type})${sortable ? ": sort; Alt and arrows resize, with Shift move" : ""}`} onClick={sort} onKeyDown={onKeyDown}>
        {column.name}{isSorted ? (order.descending ? " ↓" : " ↑") : ""}
      </button>
      <span class="handle" aria-hidden="true" onPointerDown={onPointerDown} onDblClick={() => forget(column.name)} />
    </div>
  );
}

function forget(name: string): void {
  const { [name]: _width, ...others } = widths.value;
  widths.value = others;
}
