import type { Counters } from "../protocol.js";

/** Bytes that were fetched and checked, by a name that says which: in memory up to a limit, and across visits. */
export class Cache {
  private readonly kept = new Map<string, Uint8Array>();
  private size = 0;
  private stored: Promise<globalThis.Cache | undefined> = Promise.resolve(undefined);

  constructor(private readonly limit: number, private readonly counters: Counters) {}

  /** Keeps across visits, too, what belongs to this version of a bundle; what belongs to others of its place goes. */
  persist(place: string, version: string): void {
    if (typeof caches === "undefined") return;
    const prefix = `daybook:${place}:`;
    const name = prefix + version;
    this.stored = (async () => {
      try {
        const old = (await caches.keys()).filter((one) => one.startsWith(prefix) && one !== name);
        await Promise.all(old.map((one) => caches.delete(one)));
        return await caches.open(name);
      } catch {
        // A page without storage asks the server again.
        return undefined;
      }
    })();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      this.counters.bytesFromCache += known.length;
      return known;
    }
    try {
      const found = await (await this.stored)?.match(address(key));
      if (!found) return undefined;
      const bytes = new Uint8Array(await found.arrayBuffer());
      this.counters.bytesFromCache += bytes.length;
      this.keep(key, bytes);
      return bytes;
    } catch {
      return undefined;
    }
  }

  put(key: string, bytes: Uint8Array): void {
    this.keep(key, bytes);
    void this.stored.then((stored) => stored?.put(address(key), new Response(bytes.slice()))).catch(() => {
      // It is full: what is there stays, and the rest is asked for again.
    });
  }

  private keep(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.limit) return;
    this.size += bytes.length - (this.kept.get(key)?.length ?? 0);
    this.kept.delete(key);
    this.kept.set(key, bytes);
    for (const [oldest, old] of this.kept) {
      if (this.size <= this.limit) break;
      this.kept.delete(oldest);
      this.size -= old.length;
    }
  }
}

function address(key: string): string {
  return `https://daybook.invalid/${encodeURIComponent(key)}`;
}
