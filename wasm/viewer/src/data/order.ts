import { signal } from "@preact/signals";

/** The selection whose first rows are shown; what nobody looks at first waits for them. */
export const shownOf = signal<string | undefined>(undefined);

/** So long at most. */
const PATIENCE_MS = 3_000;

/** Waits until the first rows of a selection are shown. */
export function afterRows(selection: string, abort: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (done: () => void) => {
      unsubscribe();
      clearTimeout(timer);
      abort.removeEventListener("abort", stop);
      done();
    };
    const stop = () => end(() => reject(abort.reason as Error));
    const timer = setTimeout(() => end(resolve), PATIENCE_MS);
    let unsubscribe = () => {};
    abort.addEventListener("abort", stop);
    unsubscribe = shownOf.subscribe((shown) => {
      if (shown === selection) queueMicrotask(() => end(resolve));
    });
  });
}
