import type { Counters } from "../protocol.js";

/** What is written is collected until it is so much, or nothing came for a while. */
const PACK_BYTES = 8 << 20;
const IDLE_MS = 300;
/** A bundle has so many packs at most; the rest is fetched again. */
const PACKS = 256;

interface Place {
  pack: File;
  offset: number;
  length: number;
}

/**
 * Bytes that are kept across visits, in the origin's private file system: a folder for a version of a bundle, and in it packs.
 *
 * A pack is written once, by one tab, under a name of its own, so that tabs need not agree on anything. It begins with the
 * length of its index and the index, which is JSON: the key and the length of each part, in order. Parts are checked against
 * the bundle's hashes by who reads them.
 */
export class Storage {
  private readonly places = new Map<string, Place>();
  private waiting: [string, Uint8Array][] = [];
  private size = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isFull = false;

  private constructor(private readonly folder: FileSystemDirectoryHandle, private readonly counters: Counters) {}

  /** Opens what is kept of a version of the bundle at a place; other versions go. Nothing where the browser has none. */
  static async open(place: string, manifest: Uint8Array, counters: Counters): Promise<Storage | undefined> {
    try {
      // Both are only there on pages that came safely; private windows may refuse.
      if (!globalThis.isSecureContext || !navigator.storage?.getDirectory) return undefined;
      const root = await navigator.storage.getDirectory();
      const ours = await root.getDirectoryHandle("daybook", { create: true });
      const bundle = await ours.getDirectoryHandle(await digest(new TextEncoder().encode(place)), { create: true });
      const version = await digest(manifest);
      for await (const name of bundle.keys()) if (name !== version) await bundle.removeEntry(name, { recursive: true });
      const storage = new Storage(await bundle.getDirectoryHandle(version, { create: true }), counters);
      await storage.list();
      return storage;
    } catch {
      return undefined;
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const place = this.places.get(key);
    if (!place) return undefined;
    try {
      const bytes = await place.pack.slice(place.offset, place.offset + place.length).arrayBuffer();
      return new Uint8Array(bytes);
    } catch {
      // Another tab has seen a newer bundle, and removed this one's packs.
      this.places.delete(key);
      return undefined;
    }
  }

  has(key: string): boolean {
    return this.places.has(key);
  }

  /** Keeps a part, soon. */
  put(key: string, bytes: Uint8Array): void {
    if (this.isFull || this.places.has(key)) return;
    this.waiting.push([key, bytes]);
    this.size += bytes.length;
    clearTimeout(this.timer);
    if (this.size >= PACK_BYTES) void this.write();
    else this.timer = setTimeout(() => void this.write(), IDLE_MS);
  }

  /** Forgets a part that is not what it should be. */
  forget(key: string): void {
    this.places.delete(key);
  }

  private async write(): Promise<void> {
    const parts = this.waiting;
    this.waiting = [];
    this.size = 0;
    const name = `${Date.now()}-${crypto.randomUUID()}`;
    try {
      const handle = await this.folder.getFileHandle(name, { create: true });
      const access = await handle.createSyncAccessHandle();
      try {
        const index = new TextEncoder().encode(JSON.stringify(parts.map(([key, bytes]) => [key, bytes.length])));
        let at = access.write(Uint32Array.of(index.length), { at: 0 });
        at += access.write(index, { at });
        for (const [, bytes] of parts) at += access.write(bytes as Uint8Array<ArrayBuffer>, { at });
        access.flush();
      } finally {
        access.close();
      }
      await this.read(handle);
      this.counters.bytesStored += parts.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    } catch {
      // It is full, or was removed: what is there stays, and the rest is fetched again.
      this.isFull = true;
      await this.folder.removeEntry(name).catch(() => {});
    }
  }

  private async list(): Promise<void> {
    const packs: FileSystemFileHandle[] = [];
    for await (const handle of this.folder.values()) if (handle.kind === "file") packs.push(handle as FileSystemFileHandle);
    packs.sort((one, other) => (one.name < other.name ? 1 : -1));
    await Promise.all(packs.slice(PACKS).map(({ name }) => this.folder.removeEntry(name)));
    await Promise.all(packs.slice(0, PACKS).map((pack) => this.read(pack).catch(() => {})));
  }

  /** Learns what a pack has. One that is not whole is being written, or was cut off. */
  private async read(handle: FileSystemFileHandle): Promise<void> {
    const pack = await handle.getFile();
    const [length = 0] = new Uint32Array(await pack.slice(0, 4).arrayBuffer());
    const index = JSON.parse(await pack.slice(4, 4 + length).text()) as [string, number][];
    let offset = 4 + length;
    if (pack.size !== index.reduce((sum, [, bytes]) => sum + bytes, offset)) return;
    for (const [key, bytes] of index) {
      this.places.set(key, { pack, offset, length: bytes });
      offset += bytes;
    }
  }
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return [...hash.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
