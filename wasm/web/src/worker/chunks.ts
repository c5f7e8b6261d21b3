import type { Events } from "../../pkg/daybook.js";
import type { BundleFile } from "../protocol.js";
import type { Cache } from "./cache.js";
import type { Source, Wanted } from "./source.js";
import { inParallel, stopIf } from "./turns.js";

/** A column in a row group of a file. */
export interface Chunk {
  group: number;
  leaf: number;
  offset: number;
  length: number;
  decoded: number;
}

/** Requests at once: a browser makes no more of one server. */
export const AT_ONCE = 6;
/** Parts that lie closer together are fetched with what is between them. */
const GAP_BYTES = 16 << 10;
/** A request is for at most so many bytes, where parts allow it. */
const REQUEST_BYTES = 8 << 20;

interface Part {
  offset: number;
  length: number;
}

/** Parts of the bundle's files, each fetched once, also if several calls want it at the same time. */
export class Chunks {
  private readonly pending = new Map<string, Promise<unknown>>();

  constructor(
    private readonly events: Events,
    private readonly source: Source,
    private readonly cache: Cache,
    private readonly files: BundleFile[],
  ) {}

  /** Reads the footers of files that have not been read. */
  async footers(files: number[], signal: AbortSignal): Promise<void> {
    const read = async (file: number): Promise<void> => {
      const [offset, length] = this.files[file]!.footer;
      const part = { offset, length };
      const [bytes] = await this.fetch(file, [part], signal);
      if (this.events.hasFooter(file)) return;
      await this.checking(file, [part], [bytes!], async ([footer]) => this.events.footer(file, footer!), signal);
    };
    const [first, ...others] = files.filter((file) => !this.events.hasFooter(file));
    // The first tells whether the server has ranges.
    if (first !== undefined) await read(first);
    await inParallel(others, AT_ONCE, read);
  }

  /** Parts of a file; those that lie together come by one request. */
  async fetch(file: number, parts: Part[], signal: AbortSignal): Promise<Uint8Array[]> {
    const wanted = this.files[file]!;
    const found = new Map<string, Uint8Array>();
    for (;;) {
      const waiting = parts.filter((part) => !found.has(name(wanted, part)));
      if (waiting.length === 0) return parts.map((part) => found.get(name(wanted, part))!);
      await Promise.all(waiting.map((part) => this.known(name(wanted, part), found, signal)));
      // What another call has begun to fetch meanwhile is waited for.
      const lacking = waiting.filter((part) => !found.has(name(wanted, part)) && !this.pending.has(name(wanted, part)));
      if (lacking.length === 0) continue;
      const coming = this.request(wanted, lacking, found, signal);
      for (const part of lacking) this.announce(name(wanted, part), coming);
      await coming;
    }
  }

  private async request(wanted: Wanted, lacking: Part[], found: Map<string, Uint8Array>, signal: AbortSignal): Promise<void> {
    await inParallel(runs(lacking), AT_ONCE, async ({ start, end, parts }) => {
      stopIf(signal);
      const bytes = await this.source.range(wanted, start, end - start, signal);
      for (const part of parts) {
        const own = bytes.slice(part.offset - start, part.offset - start + part.length);
        this.cache.put(name(wanted, part), own);
        found.set(name(wanted, part), own);
      }
    });
  }

  /**
   * Does what checks parts of a file. Those that are the bundle's are kept across visits; others are forgotten, and fetched
   * again if they are of an earlier visit.
   */
  async checking(file: number, parts: Part[], bytes: Uint8Array[], check: (bytes: Uint8Array[]) => Promise<void>, signal: AbortSignal): Promise<void> {
    const keys = parts.map((part) => name(this.files[file]!, part));
    try {
      await check(bytes);
    } catch (error) {
      const wereStored = keys.map((key) => this.cache.forget(key));
      if (!wereStored.includes(true)) throw error;
      bytes = await this.fetch(file, parts, signal);
      await check(bytes);
    }
    keys.forEach((key, number) => this.cache.checked(key, bytes[number]!));
  }

  private async known(key: string, found: Map<string, Uint8Array>, signal: AbortSignal): Promise<void> {
    try {
      await this.pending.get(key);
    } catch {
      // It was another call's, which perhaps was stopped.
      stopIf(signal);
    }
    const bytes = await this.cache.get(key);
    if (bytes) found.set(key, bytes);
  }

  private announce(key: string, coming: Promise<unknown>): void {
    this.pending.set(key, coming);
    const end = () => void (this.pending.get(key) === coming && this.pending.delete(key));
    coming.then(end, end);
  }
}

interface Run {
  start: number;
  end: number;
  parts: Part[];
}

function runs(parts: Part[]): Run[] {
  const runs: Run[] = [];
  for (const part of parts.sort((one, other) => one.offset - other.offset)) {
    const end = part.offset + part.length;
    const last = runs.at(-1);
    if (last && part.offset - last.end <= GAP_BYTES && end - last.start <= REQUEST_BYTES) {
      last.end = Math.max(last.end, end);
      last.parts.push(part);
    } else runs.push({ start: part.offset, end, parts: [part] });
  }
  return runs;
}

/** The SHA-256 of each part, by the browser, which is faster than our module; nothing on a page that did not come safely. */
export async function digestsOf(parts: Uint8Array[]): Promise<Uint8Array[]> {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) return [];
  const digests = await Promise.all(parts.map((part) => subtle.digest("SHA-256", part as Uint8Array<ArrayBuffer>)));
  return digests.map((digest) => new Uint8Array(digest));
}

function name({ path }: Wanted, { offset, length }: Part): string {
  return `${path}:${offset}:${length}`;
}
