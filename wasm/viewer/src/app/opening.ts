import { signal } from "@preact/signals";
import type { Progress } from "@daybook/web";

/** How far the opening of a bundle or a file is, or why it failed. */
export interface Opening {
  of: "bundle" | "file";
  name?: string;
  stop?: AbortController;
  progress?: Progress;
  error?: Error & { kind?: string; hint?: string };
}

export const opening = signal<Opening | undefined>({ of: "bundle" });
