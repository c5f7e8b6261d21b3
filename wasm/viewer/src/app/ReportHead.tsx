import type { Events } from "../data/events.ts";
import { SearchBar } from "../search/SearchBar.tsx";

/** The search box above a report: what it says holds for the report, too. */
export function ReportHead({ events, title }: { events: Events; title: string }) {
  return (
    <>
      <h1 class="hidden">{title}</h1>
      <SearchBar events={events} />
    </>
  );
}
