import { DaybookError, NetworkError, NotFoundError, CorruptError, errorOf } from "../errors.js";
import type { Counters, OpenOptions, Place } from "../protocol.js";

/** A file of a bundle, by its path, with the size that the manifest says; 0 for the manifest itself. */
export interface Wanted {
  path: string;
  size: number;
}

/** Where bytes of a bundle come from. */
export interface Source {
  /** Where it is. */
  readonly name: string;
  whole(file: Wanted, signal: AbortSignal): Promise<Uint8Array>;
  range(file: Wanted, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** Reads a folder's file; only Node has one. */
export type ReadFile = (path: string, offset: number, length: number | null) => Promise<Uint8Array>;

/** A request is tried so often. */
const TRIES = 3;

export function sourceOf(place: Place, options: OpenOptions, counters: Counters, read?: ReadFile): Source {
  if ("url" in place) return new Served(place.url, options, counters);
  if ("files" in place) return new Chosen(place.files, counters);
  if (!read) throw errorOf({ kind: "invalid", message: "a page opens no folder: give its address, or files" });
  return new Folder(place.folder, read, counters);
}

/** Files that the user chose. */
class Chosen implements Source {
  readonly name = "files";
  private readonly files = new Map<string, File>();

  constructor(files: { path: string; file: File }[], private readonly counters: Counters) {
    const manifest = files.find(({ path }) => path === "manifest.json" || path.endsWith("/manifest.json"));
    if (!manifest) throw new NotFoundError("not_found", "none of the files is a bundle's `manifest.json`", "choose the whole folder");
    const root = manifest.path.slice(0, -"manifest.json".length);
    for (const { path, file } of files) if (path.startsWith(root)) this.files.set(path.slice(root.length), file);
  }

  whole(file: Wanted): Promise<Uint8Array> {
    return this.read(file, 0, this.file(file).size);
  }

  range(file: Wanted, offset: number, length: number): Promise<Uint8Array> {
    return this.read(file, offset, length);
  }

  private file(file: Wanted): File {
    const found = this.files.get(file.path);
    if (!found) throw new NotFoundError("not_found", `the file \`${file.path}\` is not among those that were chosen`);
    return found;
  }

  private async read(file: Wanted, offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(await this.file(file).slice(offset, offset + length).arrayBuffer());
    this.counters.bytesFetched += bytes.length;
    return checked(file, bytes, length);
  }
}

/** A folder of Node's. */
class Folder implements Source {
  constructor(readonly name: string, private readonly read: ReadFile, private readonly counters: Counters) {}

  whole(file: Wanted): Promise<Uint8Array> {
    return this.get(file, 0, null);
  }

  range(file: Wanted, offset: number, length: number): Promise<Uint8Array> {
    return this.get(file, offset, length);
  }

  private async get(file: Wanted, offset: number, length: number | null): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await this.read(`${this.name}/${file.path}`, offset, length);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "ENOENT") throw new NotFoundError("not_found", `there is no \`${file.path}\` in \`${this.name}\``);
      throw new NetworkError("io", `\`${file.path}\` cannot be read: ${(error as Error).message}`);
    }
    this.counters.bytesFetched += bytes.length;
    return checked(file, bytes, length ?? bytes.length);
  }
}

/** A folder that a server has. */
class Served implements Source {
  readonly name: string;
  /** Whole files of a server without ranges. */
  private readonly wholes = new Map<string, Promise<Uint8Array>>();
  private readonly timeout: number;

  constructor(url: string, options: OpenOptions, private readonly counters: Counters) {
    const base = new URL(url);
    base.search = base.hash = "";
    base.pathname = base.pathname.replace(/manifest\.json$|index\.html$/, "").replace(/\/?$/, "/");
    this.name = base.href;
    this.timeout = options.timeout ?? 30_000;
  }

  async whole(file: Wanted, signal: AbortSignal): Promise<Uint8Array> {
    const { bytes } = await this.get(file, null, signal);
    return bytes;
  }

  async range(file: Wanted, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const known = this.wholes.get(file.path);
    if (known) return (await known).slice(offset, offset + length);
    if (this.counters.hasRanges === false) return (await this.keepWhole(file, signal)).slice(offset, offset + length);
    const { bytes, isWhole } = await this.get(file, [offset, length], signal);
    if (!isWhole) {
      this.counters.hasRanges = true;
      return checked(file, bytes, length);
    }
    this.counters.hasRanges = false;
    this.wholes.set(file.path, Promise.resolve(checked(file, bytes, file.size)));
    return bytes.slice(offset, offset + length);
  }

  private keepWhole(file: Wanted, signal: AbortSignal): Promise<Uint8Array> {
    const whole = this.whole(file, signal).then((bytes) => checked(file, bytes, file.size));
    this.wholes.set(file.path, whole);
    whole.catch(() => this.wholes.delete(file.path));
    return whole;
  }

  private async get(file: Wanted, range: [number, number] | null, signal: AbortSignal): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.once(file, range, signal);
      } catch (error) {
        if (signal.aborted || error instanceof NotFoundError || tried >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200 * tried * tried));
      }
    }
  }

  private async once(file: Wanted, range: [number, number] | null, signal: AbortSignal): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
    const stop = new AbortController();
    let timer = setTimeout(() => stop.abort(), this.timeout);
    const headers: Record<string, string> = range ? { Range: `bytes=${range[0]}-${range[0] + range[1] - 1}` } : {};
    this.counters.requests++;
    try {
      const response = await fetch(this.name + file.path, { headers, signal: AbortSignal.any([signal, stop.signal]), cache: "no-cache", credentials: "same-origin" });
      if (response.status === 404 || response.status === 403) {
        throw new NotFoundError("not_found", `the server has no \`${file.path}\` (${response.status})`, "copy the whole folder of the bundle to the server");
      }
      if (response.status === 416) return { bytes: new Uint8Array(0), isWhole: false };
      if (!response.ok) throw new NetworkError("io", `the server answers ${response.status} for \`${file.path}\``);
      const parts: Uint8Array[] = [];
      let length = 0;
      for (const reader = response.body!.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), this.timeout);
        parts.push(value);
        length += value.length;
        this.counters.bytesFetched += value.length;
      }
      return { bytes: joined(parts, length), isWhole: range !== null && response.status === 200 };
    } catch (error) {
      if (error instanceof DaybookError || signal.aborted) throw error;
      const why = stop.signal.aborted ? `nothing came for ${this.timeout / 1000} s` : (error as Error).message;
      throw new NetworkError("io", `\`${file.path}\` could not be fetched: ${why}`, "check the connection, then try again");
    } finally {
      clearTimeout(timer);
    }
  }
}

function checked(file: Wanted, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  throw new CorruptError("corrupt", `\`${file.path}\` gave ${bytes.length} bytes in place of ${length}`, "the file is cut off, or not the one that the manifest names; copy the bundle anew");
}

function joined(parts: Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
