import { Daybook, type BrowserOptions } from "@daybook/web";
import { Events } from "./events.ts";
import type { Span } from "../state/time-range.ts";

/** Opens the bundle that lies beside the page. */
export async function openBundle(more: BrowserOptions): Promise<Events> {
  const store = await Daybook.open("./", more);
  return new Events(store, "bundle", await spanOf(store));
}

/** Reads a log file that the user chose, or a bundle whose files are chosen together. */
export async function openFiles(files: readonly File[], more: BrowserOptions): Promise<Events> {
  const isBundle = files.some((file) => file.name === "manifest.json");
  const store = isBundle ? await Daybook.open(files, more) : await Daybook.ingest(files[0]!, more);
  return new Events(store, isBundle ? "bundle" : "file", await spanOf(store));
}

async function spanOf(store: Awaited<ReturnType<typeof Daybook.open>>): Promise<Span | undefined> {
  if (store.about.events === 0) return undefined;
  const row = (await store.sql("SELECT epoch_us(min(ts))::DOUBLE AS first, epoch_us(max(ts))::DOUBLE AS last FROM events")).get(0);
  if (!row || row["first"] === null) return undefined;
  return { first: Number(row["first"]) / 1000, last: Number(row["last"]) / 1000 };
}
