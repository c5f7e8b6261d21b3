import type { Counters } from "../protocol.js";
import type { Storage } from "./storage.js";

/** Parts of files that were fetched, by a name that says which: in memory up to a limit, and across visits. */
export class Cache {
  private readonly kept = new Map<string, Uint8Array>();
  private size = 0;
  private storage: Storage | undefined;

  constructor(
    readonly limit: number,
    /** What is kept across visits, where anything is. */
    private readonly opening: Promise<Storage | undefined>,
    private readonly counters: Counters,
  ) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      this.counters.bytesFromCache += known.length;
      return known;
    }
    this.storage = await this.opening;
    const stored = await this.storage?.get(key);
    if (!stored) return undefined;
    this.counters.bytesFromCache += stored.length;
    this.put(key, stored);
    return stored;
  }

  /** Keeps bytes in memory. */
  put(key: string, bytes: Uint8Array): void {
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

  /** Keeps bytes that are those of the bundle across visits. */
  checked(key: string, bytes: Uint8Array): void {
    this.storage?.put(key, bytes);
  }

  /** Forgets bytes that are not those of the bundle; says whether they came from an earlier visit. */
  forget(key: string): boolean {
    this.size -= this.kept.get(key)?.length ?? 0;
    this.kept.delete(key);
    const wasStored = this.storage?.has(key) ?? false;
    this.storage?.forget(key);
    return wasStored;
  }
}
