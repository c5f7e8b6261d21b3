import type { DuckDBBindings } from "duckdb-blocking";
import { DaybookError, type ErrorKind, errorOf } from "../errors.js";

/** DuckDB with two connections: one asks, one plans. */
export class Duck {
  private readonly asking: number;
  private readonly planning: number;

  constructor(private readonly bindings: DuckDBBindings, setup: [string[], string[], string[]]) {
    bindings.open({ path: ":memory:", query: { castBigIntToDouble: false, castDecimalToDouble: false } });
    this.asking = connection(bindings);
    this.planning = connection(bindings);
    for (const sql of setup[0]) bindings.runQuery(this.asking, sql);
    for (const sql of setup[1]) bindings.runQuery(this.planning, sql);
    for (const sql of setup[2]) bindings.runQuery(this.asking, sql);
  }

  /** Runs a statement of ours. */
  run(sql: string): void {
    this.bindings.runQuery(this.asking, sql);
  }

  /** Adds rows, an Arrow stream, to a table; the first ones make it. */
  insert(table: string, stream: Uint8Array, create: boolean): void {
    this.bindings.insertArrowFromIPCStream(this.asking, stream, { name: table, schema: "main", create });
  }

  /** DuckDB's plan of a query, as JSON; nothing for one that it does not plan. Throws what is wrong with the query. */
  plan(body: string, parameters: [string, string][]): string {
    return asked(() => {
      if (parameters.length === 0) {
        // One statement, and nothing else.
        this.bindings.closePrepared(this.planning, this.bindings.createPrepared(this.planning, body));
        return this.explained(body) ?? this.explained(`SELECT * FROM (${body}\n)`) ?? "";
      }
      this.prepare(this.planning, body);
      try {
        return this.explained(`EXECUTE asked(${given(parameters)})`) ?? "";
      } finally {
        this.bindings.runQuery(this.planning, "DEALLOCATE asked");
      }
    });
  }

  /** The rows of a query, as an Arrow stream. Nothing can be changed meanwhile. */
  async rows(sql: string, parameters: [string, string][], goesOn: () => Promise<void>): Promise<Uint8Array> {
    const run = (text: string) => this.bindings.runQuery(this.asking, text);
    const query = parameters.length === 0 ? sql : `EXECUTE asked(${given(parameters)})`;
    try {
      if (parameters.length > 0) this.prepare(this.asking, sql);
      run("BEGIN TRANSACTION READ ONLY");
      try {
        await goesOn();
        return run(query).slice();
      } finally {
        run("ROLLBACK");
        if (parameters.length > 0) run("DEALLOCATE asked");
      }
    } catch (error) {
      throw explain(error);
    }
  }

  private prepare(connection: number, sql: string): void {
    // The parser sees one statement; more would not be prepared.
    this.bindings.closePrepared(connection, this.bindings.createPrepared(connection, sql));
    this.bindings.runQuery(connection, `PREPARE asked AS ${sql}`);
  }

  private explained(sql: string): string | undefined {
    let stream: Uint8Array;
    try {
      stream = this.bindings.runQuery(this.planning, `EXPLAIN (FORMAT JSON) ${sql}`);
    } catch {
      return undefined;
    }
    const rows = textRows(stream);
    return rows.find((row) => row.startsWith("["));
  }
}

let textRows: (stream: Uint8Array) => string[] = () => [];

/** How texts of an Arrow stream are read. */
export function readTextsWith(read: (stream: Uint8Array) => string[]): void {
  textRows = read;
}

function connection(bindings: DuckDBBindings): number {
  let number = 0;
  bindings.connect().useUnsafe((_bindings: unknown, connection: number) => (number = connection));
  return number;
}

function given(parameters: [string, string][]): string {
  return parameters.map(([name, value]) => `"${name.replaceAll('"', '""')}" := ${value}`).join(", ");
}

function asked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(error);
  }
}

const KINDS: [RegExp, ErrorKind][] = [
  [/^(Parser|Syntax|Binder|Catalog|Not implemented|Parameter Not (Resolved|Allowed)) Error/, "syntax"],
  // What RE2 says of a regular expression.
  [/^Invalid Input Error: (invalid|missing|unexpected|no argument|bad|trailing)/, "syntax"],
  [/^Permission Error|read-only mode|configuration has been locked|Cannot prepare multiple statements/, "refused"],
  [/^Out of Memory Error|memory/i, "limit"],
  [/^INTERRUPT/, "interrupted"],
];

function explain(error: unknown): unknown {
  if (error instanceof DaybookError || !(error instanceof Error) || error instanceof WebAssembly.RuntimeError) return error;
  const text = error.message.split(/\n\n?Please try installing|\n\nConsider enabling/)[0] ?? error.message;
  const kind = KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? "invalid";
  return errorOf({ kind, message: text });
}
