/** What the caller can do about an error; the same names in every binding. */
export type ErrorKind =
  | "not_found" | "invalid" | "syntax" | "refused" | "limit" | "interrupted" | "permission" | "full" | "corrupt"
  | "unsupported" | "busy" | "closed" | "io" | "internal";

/** An error as it crosses from the worker. */
export interface PlainError {
  kind: ErrorKind;
  message: string;
  hint?: string | null;
}

/** Any error of Daybook's. Its kind says what the caller can do next. */
export class DaybookError extends Error {
  override readonly name: string = "DaybookError";
  constructor(readonly kind: ErrorKind, message: string, readonly hint?: string) {
    super(message);
  }
}

/** The text of a query or filter does not parse or bind; the message shows the place. */
export class QueryError extends DaybookError {
  override readonly name = "QueryError";
}
/** The request or its input is wrong, or asks for what it may not have. */
export class InvalidError extends DaybookError {
  override readonly name = "InvalidError";
}
/** There is no bundle or file of that name. */
export class NotFoundError extends DaybookError {
  override readonly name = "NotFoundError";
}
/** A limit was reached: raise it or ask for less. */
export class LimitError extends DaybookError {
  override readonly name = "LimitError";
}
/** Bytes are not what was written. */
export class CorruptError extends DaybookError {
  override readonly name = "CorruptError";
}
/** A newer Daybook made the bundle, or the browser lacks something. */
export class UnsupportedError extends DaybookError {
  override readonly name = "UnsupportedError";
}
/** The server could not be reached, or answered wrongly. */
export class NetworkError extends DaybookError {
  override readonly name = "NetworkError";
}
/** The caller's signal stopped the work. */
export class AbortedError extends DaybookError {
  override readonly name = "AbortError";
}
/** The store has been closed. */
export class ClosedError extends DaybookError {
  override readonly name = "ClosedError";
}

const CLASSES: Partial<Record<ErrorKind, new (kind: ErrorKind, message: string, hint?: string) => DaybookError>> = {
  syntax: QueryError,
  invalid: InvalidError,
  refused: InvalidError,
  not_found: NotFoundError,
  limit: LimitError,
  corrupt: CorruptError,
  unsupported: UnsupportedError,
  io: NetworkError,
  interrupted: AbortedError,
  closed: ClosedError,
};

/** The error of a kind. */
export function errorOf(plain: PlainError): DaybookError {
  const Class = CLASSES[plain.kind] ?? DaybookError;
  return new Class(plain.kind, plain.message, plain.hint ?? undefined);
}

/** An error of any kind as it crosses to the page. */
export function plainOf(error: unknown): PlainError {
  if (error instanceof DaybookError) return { kind: error.kind, message: error.message, hint: error.hint ?? null };
  if (typeof error === "string") {
    // Errors of the wasm module are JSON.
    try {
      return JSON.parse(error) as PlainError;
    } catch {
      return { kind: "internal", message: error };
    }
  }
  if (error instanceof WebAssembly.RuntimeError) {
    return {
      kind: "corrupt",
      message: `the module stopped while it read the events: ${error.message}`,
      hint: "load the page again; the bundle may be damaged",
    };
  }
  return { kind: "internal", message: error instanceof Error ? error.message : String(error) };
}
