import type { ComponentChildren } from "preact";
import { filterOf } from "./filter-of.ts";
import { openFilter } from "./shown.ts";

/** What leads to the events behind a finding, where there is a filter of them. */
export function ShowLink({ words, children }: { words: readonly string[]; children: ComponentChildren }) {
  const filter = filterOf(words);
  if (filter === undefined) return <>{children}</>;
  return <button type="button" class="link" title={filter} onClick={() => openFilter(filter)}>{children}</button>;
}
