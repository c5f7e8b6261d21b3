import type { Glance } from "../../pkg/daybook.js";
import { stopIf } from "./turns.js";

/** DuckDB is started so long after the last thing of the first screen, if nobody needs it before. */
const PATIENCE_MS = 300;

/**
 * The first screen, which needs no SQL: how many events there are over time, and which come first. DuckDB takes the thread for
 * a second when it starts; that waits until these are answered.
 */
export class First {
  private readonly glance: Promise<Glance | undefined>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(look: () => Promise<Glance | undefined>, private readonly done: () => void) {
    this.glance = look().finally(this.pause());
    this.glance.catch(() => {});
  }

  /** Something of the first screen is under way until the function is called that this gives. */
  pause(): () => void {
    clearTimeout(this.timer);
    return () => {
      clearTimeout(this.timer);
      if (!this.isClosed) this.timer = setTimeout(this.done, PATIENCE_MS);
    };
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.glance.then((glance) => glance?.free()).catch(() => {});
  }

  /** All events at a glance; nothing when DuckDB is there. */
  async looked(signal: AbortSignal): Promise<Glance | undefined> {
    const glance = await this.glance;
    stopIf(signal);
    return this.isClosed ? undefined : glance;
  }
}
