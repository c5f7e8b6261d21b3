import type { Column } from "../data/events.ts";
import type { CellStyle } from "./cells.ts";
import { type Find, RowsView } from "./rows-view.ts";
import { Viewport } from "./viewport.ts";

const ROW_HEIGHT = 26;
const HEADER_HEIGHT = 28;
/** The scrollbar is put right when nothing has moved for so long. */
const SETTLE_MS = 200;

export interface Scrolled {
  /** The element that scrolls, and the one in it that is as high as all rows. */
  scroller: HTMLElement;
  body: HTMLElement;
  rows: number;
  columns: readonly Column[];
  style: CellStyle;
  find: Find;
  /** The row that is active, if any is; -1 for none. */
  active?: () => number;
  isNew?: (seq: string) => boolean;
  /** Told which rows are drawn, and in which direction they move. */
  seen?: (first: number, end: number, isForward: boolean) => void;
}

/** Rows in an element that scrolls: those that are seen are drawn, once a frame at most. */
export class ScrolledRows {
  readonly viewport: Viewport;
  private readonly view: RowsView;
  private readonly observer = new ResizeObserver(() => this.resized());
  private frame = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private last = 0;

  constructor(private readonly of: Scrolled) {
    this.viewport = new Viewport(of.rows, ROW_HEIGHT);
    this.view = new RowsView(of.body, this.viewport, of.columns, of.style, of.isNew);
    this.resized();
    this.viewport.scrolled(of.scroller.scrollTop);
    this.observer.observe(of.scroller);
    of.scroller.addEventListener("scroll", this.onScroll, { passive: true });
    this.draw();
  }

  /** Draws in the next frame. */
  readonly later = (): void => {
    this.frame ||= requestAnimationFrame(this.draw);
  };

  readonly draw = (): void => {
    this.frame = 0;
    const { first, end } = this.view.draw(this.of.find, this.of.active?.() ?? -1);
    this.of.seen?.(first, end, this.viewport.top >= this.last);
    this.last = this.viewport.top;
  };

  /** Scrolls as little as it takes for a row to be seen. */
  reveal(row: number): void {
    this.of.scroller.scrollTop = this.viewport.reveal(row);
    this.draw();
  }

  /** Scrolls so that a row is in the middle. */
  center(row: number): void {
    this.of.scroller.scrollTop = this.viewport.center(row);
    this.draw();
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settle);
    this.observer.disconnect();
    this.of.scroller.removeEventListener("scroll", this.onScroll);
    this.view.clear();
  }

  private readonly onScroll = (): void => {
    this.viewport.scrolled(this.of.scroller.scrollTop);
    this.later();
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      this.of.scroller.scrollTop = this.viewport.settled();
      this.later();
    }, SETTLE_MS);
  };

  private resized(): void {
    this.viewport.height = Math.max(ROW_HEIGHT, this.of.scroller.clientHeight - HEADER_HEIGHT);
    this.of.body.style.height = `${this.viewport.scrollHeight}px`;
    this.later();
  }
}
