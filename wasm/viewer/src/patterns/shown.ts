import { show } from "../state/page.ts";

/** Goes to the events of a filter that says its own times. */
export function openFilter(filter: string): void {
  show({ tab: "search", filter, range: { kind: "all" } });
}
