import type { DuckDBBindings } from "duckdb-blocking";
import { DaybookError, LimitError, type PlainError, errorOf } from "../errors.js";
import { bytesText } from "./sizes.js";
import { goesOn } from "./turns.js";

/** A module of 32 bits has 4 GiB, of which DuckDB's own code and stacks need some. */
const MEMORY_MOST = 3 * 2 ** 30;
/** A poll of a query takes about so long. */
const POLL_MS = 20;

/** DuckDB's memory is full, which it may not be without what other questions loaded. */
export class FullError extends LimitError {}

/** What every query is given. */
export interface Limits {
  signal: AbortSignal;
  /** An answer has at most so many bytes. */
  bytes: number;
}

/** What makes an empty DuckDB ready, in this order. */
export interface Setup {
  begin: string[];
  /** The table over which queries are planned: its rows, an Arrow stream, and its name. */
  planned: Uint8Array;
  place: { schema: string; name: string };
  views: string[];
  /** For the connection that plans. */
  planning: string[];
  /** After which nothing outside of DuckDB can be reached. */
  sealing: string[];
}

/** DuckDB with two connections: one asks, one plans. */
export class Duck {
  private readonly asking: number;
  private readonly planning: number;

  /** Of a database that is open: see {@link opened}. */
  constructor(
    private readonly bindings: DuckDBBindings,
    setup: Setup,
    memoryLimit: number,
    /** What an error of DuckDB's means, as JSON. */
    private readonly meaning: (text: string) => string,
  ) {
    this.asking = connection(bindings);
    this.planning = connection(bindings);
    for (const sql of setup.begin) bindings.runQuery(this.asking, sql);
    bindings.insertArrowFromIPCStream(this.asking, setup.planned, { ...setup.place, create: true });
    for (const sql of setup.views) bindings.runQuery(this.asking, sql);
    // What is loaded, and as much again to work with; there is no disk to go to.
    const memory = Math.min(2 * Math.max(memoryLimit, 64 << 20), MEMORY_MOST);
    bindings.runQuery(this.asking, `SET memory_limit = '${memory}B'`);
    bindings.runQuery(this.asking, "SET temp_directory = ''");
    for (const sql of setup.planning) bindings.runQuery(this.planning, sql);
    for (const sql of setup.sealing) bindings.runQuery(this.asking, sql);
  }

  /** Runs a statement of ours. */
  run(sql: string): void {
    this.bindings.runQuery(this.asking, sql);
  }

  /** Adds rows, an Arrow stream, to a table; the first ones make it. */
  insert(table: string, stream: Uint8Array, create: boolean): void {
    this.explaining(() => this.bindings.insertArrowFromIPCStream(this.asking, stream, { name: table, schema: "main", create }));
  }

  /** DuckDB's plan of a query, as JSON; nothing for one that it does not plan. Throws what is wrong with the query. */
  plan(body: string, parameters: [string, string][]): string {
    return this.explaining(() => {
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

  /** The rows of a query, as an Arrow stream. Nothing can be changed meanwhile; the caller sees to it that no other runs. */
  async rows(sql: string, parameters: [string, string][], limits: Limits): Promise<Uint8Array> {
    const query = parameters.length === 0 ? sql : `EXECUTE asked(${given(parameters)})`;
    try {
      if (parameters.length > 0) this.prepare(this.asking, sql);
      this.run("BEGIN TRANSACTION READ ONLY");
      try {
        return await this.polled(query, limits);
      } finally {
        this.run("ROLLBACK");
        if (parameters.length > 0) this.run("DEALLOCATE asked");
      }
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** Runs a query piece by piece, so that a call that is no longer wanted ends it. */
  private async polled(query: string, { signal, bytes }: Limits): Promise<Uint8Array> {
    const { bindings, asking } = this;
    const parts: Uint8Array[] = [];
    let size = 0;
    try {
      await goesOn(signal);
      let part = bindings.startPendingQuery(asking, query, true);
      while (part === null) {
        await goesOn(signal);
        part = bindings.pollPendingQuery(asking);
      }
      while (part === null || part.length > 0) {
        if (part) size += parts.push(part) && part.length;
        if (size > bytes) {
          throw new LimitError("limit", `the answer has more than ${bytesText(bytes)}`, "ask for fewer rows or columns, or raise `memoryLimit`");
        }
        await goesOn(signal);
        part = bindings.fetchQueryResults(asking);
      }
    } catch (error) {
      if (error instanceof DaybookError) bindings.cancelPendingQuery(asking);
      throw error;
    }
    return joined(parts, size);
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

  private explaining<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.explain(error);
    }
  }

  private explain(error: unknown): unknown {
    if (error instanceof DaybookError || !(error instanceof Error) || error instanceof WebAssembly.RuntimeError) return error;
    const told = JSON.parse(this.meaning(error.message)) as PlainError;
    return told.kind === "limit" ? new FullError(told.kind, told.message, "ask for less, or raise `memoryLimit`") : errorOf(told);
  }
}

/** DuckDB with an empty database. */
export function opened(bindings: DuckDBBindings): DuckDBBindings {
  const query = { castBigIntToDouble: false, castDecimalToDouble: false, queryPollingInterval: POLL_MS };
  bindings.open({ path: ":memory:", query });
  return bindings;
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

function joined(parts: Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
