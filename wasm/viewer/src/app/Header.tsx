import type { Events } from "../data/events.ts";
import { show, view } from "../state/page.ts";
import { type Theme, theme } from "../state/preferences.ts";
import { TABS, type Tab } from "../state/view.ts";
import { countText } from "../text/numbers.ts";
import { Badge } from "../verify/Badge.tsx";
import { Icon } from "./Icon.tsx";
import { isHelpOpen } from "./Help.tsx";
import { LiveTail } from "../tail/LiveTail.tsx";

const NAMES: Record<Tab, string> = { search: "Search", sql: "SQL", patterns: "Patterns", overview: "Overview", audit: "Audit" };
const THEMES: Record<Theme, ["auto" | "sun" | "moon", Theme]> = { auto: ["auto", "light"], light: ["sun", "dark"], dark: ["moon", "auto"] };

/** What is open, the tabs, and what concerns the whole page. */
export function Header({ events }: { events: Events | undefined }) {
  const [sign, next] = THEMES[theme.value];
  return (
    <header class="top">
      <span class="brand" title={events?.title}>{events?.title || "Daybook"}</span>
      {events && <span class="quiet size">{countText(events.store.about.events)} events</span>}
      {events && (
        <nav aria-label="Parts of the page">
          {TABS.map((tab) => (
            <a key={tab} href={`#/${tab}`} aria-current={view.value.tab === tab ? "page" : undefined} onClick={(event) => (event.preventDefault(), show({ tab }))}>{NAMES[tab]}</a>
          ))}
        </nav>
      )}
      <span class="space" />
      {events?.tail && <LiveTail events={events} tail={events.tail} />}
      {events && <Badge key={events.title} events={events} />}
      <button type="button" class="icon" aria-label={`Theme: ${theme.value}; change to ${next}`} title={`Theme: ${theme.value}`} onClick={() => (theme.value = next)}><Icon name={sign} /></button>
      <button type="button" class="icon" aria-label="Help and keys" title="Help (?)" onClick={() => (isHelpOpen.value = true)}><Icon name="help" /></button>
    </header>
  );
}
