import { AbortedError } from "../errors.js";

/** After so long without a pause, messages are let in. */
const SLICE_MS = 12;

/** What waits until somebody lets it go on. */
export class Gate {
  open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** Work that is done by one at a time, in the order in which it was asked for. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(() => {
      stopIf(signal);
      return work();
    });
    this.last = mine.catch(() => {});
    return mine;
  }
}

const pause = new MessageChannel();
const waiting: (() => void)[] = [];
pause.port1.onmessage = () => waiting.shift()?.();
let paused = 0;

/** Lets messages in, now and then, and ends a call that was stopped. */
export async function goesOn(signal: AbortSignal): Promise<void> {
  if (performance.now() - paused > SLICE_MS) {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      // A timer of no time would wait for four milliseconds.
      pause.port2.postMessage(0);
    });
    paused = performance.now();
  }
  stopIf(signal);
}

/** Ends a call that was stopped. */
export function stopIf(signal: AbortSignal): void {
  if (signal.aborted) throw new AbortedError("interrupted", "the call was stopped");
}

/** Does some work for each item, so much at once. */
export async function inParallel<T>(items: T[], atOnce: number, work: (item: T, number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < items.length) {
      const number = next++;
      await work(items[number]!, number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, one));
}
