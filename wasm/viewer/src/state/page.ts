import { computed, signal } from "@preact/signals";
import { addressOf, viewOf } from "./address.ts";
import { within } from "./time-range.ts";
import type { Events } from "../data/events.ts";
import type { View } from "./view.ts";

/** What the page shows. */
export const view = signal<View>(viewOf(location.hash));

/** The events that are looked at, if any are open. */
export const events = signal<Events | undefined>(undefined);

/** The filter of the search box and the range of time, as one text. */
export const selection = computed(() => within(view.value.filter, view.value.range, events.value?.span));

/** Shows something else; `replace` leaves no step to go back to. */
export function show(change: Partial<View>, { replace = false } = {}): void {
  const next = { ...view.value, ...change };
  for (const key of Object.keys(next) as (keyof View)[]) if (next[key] === undefined) delete next[key];
  const address = addressOf(next);
  if (address === addressOf(view.value)) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  view.value = next;
}

/** Has the page follow its address. */
export function followAddress(): void {
  const follow = () => {
    view.value = viewOf(location.hash);
  };
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
}
