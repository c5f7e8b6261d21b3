import { effect, signal } from "@preact/signals";
import { keep, kept } from "./kept.ts";

export type Theme = "auto" | "light" | "dark";
export type Zone = "utc" | "local";

const text = <T extends string>(known: readonly T[]) => (value: unknown) => known.find((one) => one === value);

export const theme = signal<Theme>(kept("theme", text(["auto", "light", "dark"])) ?? "auto");
export const zone = signal<Zone>(kept("zone", text(["utc", "local"])) ?? "utc");
/** Whether times in tables are said as how long before the newest event they were. */
export const isRelative = signal(kept("relative", (value) => (typeof value === "boolean" ? value : undefined)) ?? false);
/** Widths of columns in pixels, where the user has set them. */
export const widths = signal<Record<string, number>>(kept("widths", widthsOf) ?? {});

function widthsOf(value: unknown): Record<string, number> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, width]) => typeof width === "number" && width >= 40 && width <= 4000));
}

/** Applies the preferences to the page, and keeps them. */
export function applyPreferences(): void {
  effect(() => {
    if (theme.value === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
    keep("theme", theme.value);
  });
  effect(() => void keep("zone", zone.value));
  effect(() => void keep("relative", isRelative.value));
  effect(() => void keep("widths", widths.value));
}
