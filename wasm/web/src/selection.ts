import { type Table, tableFromIPC } from "apache-arrow";
import type { CallOptions, Calls } from "./calls.js";
import { ClosedError } from "./errors.js";
import type { Call } from "./protocol.js";

export interface PageOptions extends CallOptions {
  /** The columns, by name; all unless told. `seq` is always there. */
  columns?: string[];
}

/** Events that match a filter, in an order. It is of the time when it was made; `close` it when it is no longer shown. */
export class Selection {
  private isOpen = true;

  private constructor(
    private readonly calls: Calls,
    private readonly call: Call,
    /** What the worker knows it by, and which worker that is. */
    private known: { selection: number; generation: number },
    /** How many events match. */
    readonly length: number,
  ) {}

  /** @internal */
  static async make(calls: Calls, call: Call, options: CallOptions): Promise<Selection> {
    const { selection, length, generation } = await select(calls, call, options);
    return new Selection(calls, call, { selection, generation }, length);
  }

  /** So many events from a position on; fewer at the end. */
  async page(from: number, count: number, options: PageOptions = {}): Promise<Table> {
    const columns = options.columns ?? null;
    return tableFromIPC(await this.ask<Uint8Array>((selection) => ({ method: "page", selection, from, count, columns }), options));
  }

  /** The position of an event, or nothing if it is not among them. */
  index(event: { seq: number | bigint }, options: CallOptions = {}): Promise<number | undefined> {
    return this.ask((selection) => ({ method: "index", selection, seq: BigInt(event.seq) }), options);
  }

  /** Asks the worker, and where it is another one than before, has that select the events anew. */
  private async ask<T>(call: (selection: number) => Call, options: CallOptions): Promise<T> {
    for (;;) {
      if (this.isOpen && this.known.generation !== this.calls.generation) this.known = await select(this.calls, this.call, options);
      const { selection, generation } = this.known;
      try {
        return await this.calls.call<T>(call(selection), options);
      } catch (error) {
        if (!(error instanceof ClosedError && this.isOpen && generation !== this.calls.generation)) throw error;
      }
    }
  }

  /** Lets the worker forget it. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.calls.call({ method: "release", selection: this.known.selection }).catch(() => {
      // The store is closed, and all of it forgotten.
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

async function select(calls: Calls, call: Call, options: CallOptions): Promise<{ selection: number; length: number; generation: number }> {
  for (;;) {
    const { generation } = calls;
    const selected = await calls.call<{ selection: number; length: number }>(call, options);
    if (generation === calls.generation) return { ...selected, generation };
  }
}
