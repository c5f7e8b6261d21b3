import { AbortedError, ClosedError, DaybookError, UnsupportedError, errorOf } from "./errors.js";
import type { Call, FromWorker, Progress, ToWorker } from "./protocol.js";

/** A worker, in a page or in Node. */
export interface Port {
  post(message: ToWorker, transfer: Transferable[]): void;
  listen(heard: (message: FromWorker) => void, failed: (error: Error) => void): void;
  terminate(): void;
}

/** What every call takes. */
export interface CallOptions {
  /** Stops the call. */
  signal?: AbortSignal | undefined;
  /** Told how far it is. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

interface Waiting {
  call: Call;
  done: (value: unknown) => void;
  failed: (error: Error) => void;
  rows?: ((stream: Uint8Array) => void) | undefined;
  progress?: ((progress: Progress) => void) | undefined;
  /** How many batches came, and how many of them come once more from a new worker. */
  batches: number;
  known: number;
}

/** DuckDB looks up between pieces of its work. One that takes longer than this, and is not wanted, goes with its worker. */
const PIECE_MS = 500;

/** Calls to a worker, and their answers. */
export class Calls {
  private next = 1;
  private readonly waiting = new Map<number, Waiting>();
  private broken: Error | undefined;
  private port: Port;
  /** The call whose query DuckDB works on. */
  private running: number | undefined;
  private impatience: ReturnType<typeof setTimeout> | undefined;
  /** How many workers there were before: what one was told to keep, the next one does not have. */
  generation = 0;

  /** `first` is the call that tells a worker what it is about. */
  constructor(private readonly makePort: () => Port, private readonly first: Call) {
    this.port = this.connect();
  }

  call<T>(call: Call, options: CallOptions = {}, rows?: (stream: Uint8Array) => void): Promise<T> {
    if (this.broken) return Promise.reject(this.broken);
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(aborted());
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      const stop = () => {
        this.waiting.delete(id);
        this.port.post({ id, abort: true }, []);
        if (id === this.running) this.impatience ??= setTimeout(() => this.renew(), PIECE_MS);
        reject(aborted());
      };
      const end = () => signal?.removeEventListener("abort", stop);
      this.waiting.set(id, {
        call,
        done: (value) => (end(), resolve(value as T)),
        failed: (error) => (end(), reject(error)),
        rows,
        progress: options.onProgress,
        batches: 0,
        known: 0,
      });
      signal?.addEventListener("abort", stop, { once: true });
      this.port.post({ id, call }, []);
    });
  }

  close(): void {
    this.fail(new ClosedError("closed", "the store is closed"));
    this.port.terminate();
  }

  private connect(): Port {
    const port = this.makePort();
    port.listen(
      (message) => port === this.port && this.heard(message),
      (error) => port === this.port && this.fail(new UnsupportedError("unsupported", `the worker stopped: ${error.message}`)),
    );
    return port;
  }

  /** Has another worker answer what is still waited for, in place of one that hears nothing. */
  private renew(): void {
    this.port.terminate();
    this.forget();
    this.generation++;
    this.port = this.connect();
    const waiting = [...this.waiting];
    const isOpening = waiting.some(([, { call }]) => call === this.first);
    if (!isOpening) void this.call(this.first).catch((error: Error) => this.fail(error));
    for (const [id, one] of waiting) {
      one.known = one.batches;
      one.batches = 0;
      this.port.post({ id, call: one.call }, []);
    }
  }

  private forget(): void {
    clearTimeout(this.impatience);
    this.running = this.impatience = undefined;
  }

  private fail(error: Error): void {
    this.forget();
    this.broken ??= error;
    for (const waiting of this.waiting.values()) waiting.failed(this.broken);
    this.waiting.clear();
  }

  private heard(message: FromWorker): void {
    const { id } = message;
    const isQuery = "progress" in message && message.progress.step === "query";
    if (isQuery && message.progress.done === 0) this.running = id;
    else if (id === this.running && (isQuery || !("progress" in message))) this.forget();
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    if ("progress" in message) return waiting.progress?.(message.progress);
    if ("rows" in message) return ++waiting.batches > waiting.known ? waiting.rows?.(message.rows) : undefined;
    this.waiting.delete(id);
    if ("error" in message) waiting.failed(errorOf(message.error));
    else waiting.done(message.done);
  }
}

function aborted(): DaybookError {
  return new AbortedError("interrupted", "the call was stopped");
}
