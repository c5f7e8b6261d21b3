/** Browsers let no element be much higher than this. */
const HIGHEST = 12_000_000;

/**
 * Which part of a long list is seen. A list that is too high for a browser is scaled: the scrollbar goes through all of
 * it, and small movements are still as long as they are on the screen.
 */
export class Viewport {
  /** Where the top of what is seen lies in the list, in pixels. */
  top = 0;
  /** Where the browser thinks that it lies. */
  native = 0;
  height = 0;

  constructor(
    public rows: number,
    readonly rowHeight: number,
  ) {}

  /** How high the list is. */
  get full(): number {
    return this.rows * this.rowHeight;
  }

  /** How high the element is that stands for the list. */
  get scrollHeight(): number {
    return Math.min(this.full, HIGHEST);
  }

  private get scale(): number {
    return Math.max(0, this.full - this.height) / Math.max(1, this.scrollHeight - this.height);
  }

  /** Takes what the browser says after it has scrolled. */
  scrolled(native: number): void {
    const moved = native - this.native;
    this.native = native;
    const end = this.scrollHeight - this.height;
    const isLocal = this.full > HIGHEST && native > 0 && native < end - 1 && Math.abs(moved) <= 2 * this.height;
    this.top = this.within(isLocal ? this.top + moved : native * this.scale);
  }

  /** Where the browser should be, so that its scrollbar tells the truth again. */
  settled(): number {
    this.native = this.full <= HIGHEST ? this.native : Math.round(this.top / this.scale);
    return this.native;
  }

  /** Moves so that a row is seen; says where the browser should scroll to. */
  reveal(row: number): number {
    const [from, to] = [row * this.rowHeight, (row + 1) * this.rowHeight];
    if (from < this.top) this.top = this.within(from);
    else if (to > this.top + this.height) this.top = this.within(to - this.height);
    else return this.native;
    return this.goTo(this.top);
  }

  /** Moves so that a row is in the middle. */
  center(row: number): number {
    return this.goTo(this.within((row + 0.5) * this.rowHeight - this.height / 2));
  }

  private goTo(top: number): number {
    this.top = top;
    this.native = this.scale === 0 ? 0 : top / this.scale;
    return this.native;
  }

  /** The rows to draw, from the first to the one after the last. */
  visible(more: number): { first: number; end: number } {
    const first = Math.max(0, Math.floor(this.top / this.rowHeight) - more);
    const end = Math.min(this.rows, Math.ceil((this.top + this.height) / this.rowHeight) + more);
    return { first, end: Math.max(first, end) };
  }

  /** Where a row lies in the element. */
  offset(row: number): number {
    return row * this.rowHeight - this.top + this.native;
  }

  /** How many rows fill what is seen. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.height / this.rowHeight) - 1);
  }

  private within(top: number): number {
    return Math.max(0, Math.min(this.full - this.height, top));
  }
}
