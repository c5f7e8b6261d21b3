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
  done: (value: unknown) => void;
  failed: (error: Error) => void;
  rows?: ((stream: Uint8Array) => void) | undefined;
  progress?: ((progress: Progress) => void) | undefined;
}

/** Calls to a worker, and their answers. */
export class Calls {
  private next = 1;
  private readonly waiting = new Map<number, Waiting>();
  private broken: Error | undefined;

  constructor(private readonly port: Port) {
    port.listen(
      (message) => this.heard(message),
      (error) => this.fail(new UnsupportedError("unsupported", `the worker stopped: ${error.message}`)),
    );
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
        reject(aborted());
      };
      const end = () => signal?.removeEventListener("abort", stop);
      this.waiting.set(id, {
        done: (value) => (end(), resolve(value as T)),
        failed: (error) => (end(), reject(error)),
        rows,
        progress: options.onProgress,
      });
      signal?.addEventListener("abort", stop, { once: true });
      this.port.post({ id, call }, []);
    });
  }

  close(): void {
    this.fail(new ClosedError("closed", "the store is closed"));
    this.port.terminate();
  }

  private fail(error: Error): void {
    this.broken ??= error;
    for (const waiting of this.waiting.values()) waiting.failed(this.broken);
    this.waiting.clear();
  }

  private heard(message: FromWorker): void {
    const waiting = this.waiting.get(message.id);
    if (!waiting) return;
    if ("progress" in message) return waiting.progress?.(message.progress);
    if ("rows" in message) return waiting.rows?.(message.rows);
    this.waiting.delete(message.id);
    if ("error" in message) waiting.failed(errorOf(message.error));
    else waiting.done(message.done);
  }
}

function aborted(): DaybookError {
  return new AbortedError("interrupted", "the call was stopped");
}

