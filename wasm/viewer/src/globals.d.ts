/** The address of the worker's script, relative to the page; the build gives it. */
declare const WORKER: string;
