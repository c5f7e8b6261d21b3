import { type Table, tableFromIPC } from "apache-arrow";
import type { CallOptions, Calls } from "./calls.js";

export interface PageOptions extends CallOptions {
  /** The columns, by name; all unless told. `seq` is always there. */
  columns?: string[];
}

/** Events that match a filter, in an order. It is of the time when it was made; `close` it when it is no longer shown. */
export class Selection {
  private isOpen = true;

  /** @internal */
  constructor(
    private readonly calls: Calls,
    private readonly selection: number,
    /** How many events match. */
    readonly length: number,
  ) {}

  /** So many events from a position on; fewer at the end. */
  async page(from: number, count: number, options: PageOptions = {}): Promise<Table> {
    const { selection } = this;
    const stream = await this.calls.call<Uint8Array>({ method: "page", selection, from, count, columns: options.columns ?? null }, options);
    return tableFromIPC(stream);
  }

  /** The position of an event, or nothing if it is not among them. */
  index(event: { seq: number | bigint }, options: CallOptions = {}): Promise<number | undefined> {
    return this.calls.call({ method: "index", selection: this.selection, seq: BigInt(event.seq) }, options);
  }

  /** Lets the worker forget it. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.calls.call({ method: "release", selection: this.selection }).catch(() => {
      // The store is closed, and all of it forgotten.
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
