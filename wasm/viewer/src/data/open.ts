import { Daybook, type BrowserOptions } from "@daybook/web";
import { Events } from "./events.ts";
import { literal } from "./statements.ts";
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

/** The first and the last instant: a bundle is asked about its first and its last day alone. */
async function spanOf(store: Awaited<ReturnType<typeof Daybook.open>>): Promise<Span | undefined> {
  const { events, files } = store.about;
  if (events === 0) return undefined;
  const days = files.map(({ day }) => day).sort();
  const of = async (instant: "min(ts)" | "max(ts)", day: string | undefined): Promise<number> => {
    const where = day === undefined ? "" : ` WHERE ts >= TIMESTAMP ${literal(day)} AND ts < TIMESTAMP ${literal(dayAfter(day))}`;
    const row = (await store.sql(`SELECT epoch_us(${instant})::DOUBLE AS instant FROM events${where}`)).get(0);
    return Number(row?.["instant"] ?? 0) / 1000;
  };
  return { first: await of("min(ts)", days[0]), last: await of("max(ts)", days.at(-1)) };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
