import { Daybook, type BrowserOptions } from "@daybook/web";
import { Events } from "./events.ts";
import type { Span } from "../state/time-range.ts";

/** Opens the bundle that lies beside the page. */
export async function openBundle(more: BrowserOptions): Promise<Events> {
  const store = await Daybook.open("./", { ...more, glance: true });
  return new Events(store, "bundle", spanOf(store));
}

/** Reads a log file that the user chose, or a bundle whose files are chosen together. */
export async function openFiles(files: readonly File[], more: BrowserOptions): Promise<Events> {
  const isBundle = files.some((file) => file.name === "manifest.json");
  const store = isBundle ? await Daybook.open(files, { ...more, glance: true }) : await Daybook.ingest(files[0]!, more);
  return new Events(store, isBundle ? "bundle" : "file", spanOf(store));
}

/** The first and the last instant, in milliseconds. */
function spanOf({ about }: Daybook): Span | undefined {
  return about.span ? { first: about.span[0] / 1000, last: about.span[1] / 1000 } : undefined;
}
