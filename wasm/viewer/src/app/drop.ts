import { asError } from "../data/answer.ts";
import { openFiles } from "../data/open.ts";
import { initial } from "../state/view.ts";
import { events, show } from "../state/page.ts";
import { forgetArrivals } from "../tail/arrivals.ts";
import { opening } from "./opening.ts";

/** Looks at files that the user chose or dropped, in place of what is open. */
export async function look(files: readonly File[]): Promise<void> {
  const first = files[0];
  if (!first) return;
  const stop = new AbortController();
  const name = first.name;
  opening.value = { of: "file", name, stop };
  try {
    const next = await openFiles(files, { signal: stop.signal, onProgress: (progress) => (opening.value = { of: "file", name, stop, progress }) });
    events.value?.close();
    forgetArrivals();
    show({ ...initial(), event: undefined } as object);
    events.value = next;
    opening.value = undefined;
  } catch (error) {
    opening.value = stop.signal.aborted ? undefined : { of: "file", name, error: asError(error) };
  }
}
