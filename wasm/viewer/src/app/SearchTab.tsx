import { signal } from "@preact/signals";
import { Details } from "../details/Details.tsx";
import type { Events } from "../data/events.ts";
import { Facets } from "../facets/Facets.tsx";
import { Histogram } from "../histogram/Histogram.tsx";
import { SearchBar } from "../search/SearchBar.tsx";
import { view } from "../state/page.ts";
import { EventTable } from "../table/EventTable.tsx";
import { Toolbar } from "../table/Toolbar.tsx";

/** Whether the facets are shown on a narrow screen. */
const areFacetsOpen = signal(false);

/** Search: the filter, events over time, facets, the table, the event that is open. */
export function SearchTab({ events }: { events: Events }) {
  const { event } = view.value;
  return (
    <div class={`search${event === undefined ? "" : " has-event"}${areFacetsOpen.value ? " has-facets" : ""}`}>
      <h1 class="hidden">Search {events.title}</h1>
      <SearchBar events={events} />
      <Histogram events={events}>
        <button type="button" class="only-narrow" aria-expanded={areFacetsOpen.value} onClick={() => (areFacetsOpen.value = !areFacetsOpen.value)}>Facets</button>
        <Toolbar events={events} />
      </Histogram>
      <Facets events={events} />
      <EventTable events={events} />
      {event !== undefined && <Details events={events} seq={event} />}
    </div>
  );
}
