import type { Table } from "../data/table.ts";
import type { Column } from "../data/events.ts";
import { type CellStyle, written } from "./cells.ts";
import type { Viewport } from "./viewport.ts";

/** Says where a row is: in a table, or nowhere yet. */
export type Find = (row: number) => { table: Table; at: number } | undefined;

/** Rows that are drawn beyond what is seen. */
const MORE = 6;

interface Drawn {
  element: HTMLElement;
  cells: HTMLElement[];
  row: number;
  /** What was drawn: a page's row, or that it is not there yet. */
  of: Table | undefined;
  offset: number;
}

/** Draws the rows that are seen into elements that are used again and again. */
export class RowsView {
  private readonly free: Drawn[] = [];
  private readonly drawn = new Map<number, Drawn>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly viewport: Viewport,
    private readonly columns: readonly Column[],
    private readonly style: CellStyle,
    private readonly isNew: (seq: string) => boolean = () => false,
  ) {}

  /** Draws what is seen now; says which rows these are. */
  draw(find: Find, active: number): { first: number; end: number } {
    const { first, end } = this.viewport.visible(MORE);
    for (const [row, drawn] of this.drawn) {
      if (row >= first && row < end) continue;
      this.drawn.delete(row);
      this.free.push(drawn);
    }
    for (let row = first; row < end; row++) {
      const drawn = this.drawn.get(row) ?? this.take(row);
      const found = find(row);
      if (drawn.of !== found?.table || drawn.row !== row) this.fill(drawn, row, found?.table, found?.at ?? 0);
      const offset = this.viewport.offset(row);
      if (drawn.offset !== offset) {
        drawn.offset = offset;
        drawn.element.style.transform = `translateY(${offset}px)`;
      }
      const isActive = row === active;
      if ((drawn.element.getAttribute("aria-selected") === "true") !== isActive) drawn.element.setAttribute("aria-selected", String(isActive));
    }
    for (const { element } of this.free.splice(20)) element.remove();
    for (const drawn of this.free) if (!drawn.element.hidden) drawn.element.hidden = true;
    return { first, end };
  }

  clear(): void {
    this.parent.replaceChildren();
    this.drawn.clear();
    this.free.length = 0;
  }

  private take(row: number): Drawn {
    const drawn = this.free.pop() ?? this.make();
    drawn.row = -1;
    drawn.element.hidden = false;
    this.drawn.set(row, drawn);
    return drawn;
  }

  private make(): Drawn {
    const element = document.createElement("div");
    element.className = "tr";
    element.setAttribute("role", "row");
    const cells = this.columns.map((_, at) => {
      const cell = document.createElement("div");
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-colindex", String(at + 1));
      element.append(cell);
      return cell;
    });
    this.parent.append(element);
    return { element, cells, row: -1, of: undefined, offset: -1 };
  }

  private fill(drawn: Drawn, row: number, page: Table | undefined, at: number): void {
    const { element, cells } = drawn;
    drawn.row = row;
    drawn.of = page;
    element.id = `row-${row}`;
    element.setAttribute("aria-rowindex", String(row + 2));
    const severity: unknown = page?.getChild("severity")?.get(at);
    const isError = typeof severity === "number" && severity >= 17;
    const seq: unknown = page?.getChild("seq")?.get(at);
    const marks = `${row % 2 === 1 ? " odd" : ""}${page ? "" : " waiting"}${isError ? " error" : ""}${this.isNew(String(seq)) ? " new" : ""}`;
    const name = `tr${marks}`;
    if (element.className !== name) element.className = name;
    for (const [number, column] of this.columns.entries()) {
      const cell = cells[number]!;
      const shown = page ? written(column, page.getChild(column.name)?.get(at), this.style) : EMPTY;
      if (cell.textContent !== shown.text) cell.textContent = shown.text;
      if (cell.title !== shown.title) cell.title = shown.title;
      if (cell.className !== shown.class) cell.className = shown.class;
    }
  }
}

const EMPTY = { text: "", title: "", class: "" };
