// The package says nothing of the file that a worker needs.
declare module "duckdb-blocking" {
  import type { DuckDBBundles, Logger } from "@duckdb/duckdb-wasm";
  /** Of DuckDB's bindings, what the worker calls. */
  export interface DuckDBBindings {
    readonly mainModuleURL: string;
    instantiateWasm: (imports: WebAssembly.Imports, succeed: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void) => object;
    open(config: object): void;
    instantiate(onProgress: () => void): Promise<this>;
    connect(): { useUnsafe(take: (bindings: unknown, connection: number) => void): void };
    runQuery(connection: number, text: string): Uint8Array;
    startPendingQuery(connection: number, text: string, isStreamed: boolean): Uint8Array | null;
    pollPendingQuery(connection: number): Uint8Array | null;
    cancelPendingQuery(connection: number): boolean;
    fetchQueryResults(connection: number): Uint8Array | null;
    createPrepared(connection: number, text: string): number;
    closePrepared(connection: number, statement: number): void;
    insertArrowFromIPCStream(connection: number, stream: Uint8Array, options: { name: string; schema: string; create: boolean }): void;
  }
  export const BROWSER_RUNTIME: unknown;
  export const NODE_RUNTIME: unknown;
  export class VoidLogger implements Logger {
    log(): void;
  }
  export function createDuckDB(bundles: DuckDBBundles, logger: Logger, runtime: unknown): Promise<DuckDBBindings>;
}
/** What DuckDB's module calls. */
declare var DUCKDB_RUNTIME: unknown;
