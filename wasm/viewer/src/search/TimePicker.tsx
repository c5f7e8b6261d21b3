import { useState } from "preact/hooks";
import { Menu } from "../app/Menu.tsx";
import type { Events } from "../data/events.ts";
import { show, view } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { LENGTHS, type TimeRange, boundsOf, lengthMs, lengthText } from "../state/time-range.ts";
import { secondText } from "../text/times.ts";

/** The range in words. */
export function rangeText(range: TimeRange, inZone: "utc" | "local"): string {
  if (range.kind === "all") return "All time";
  if (range.kind === "last") return `Last ${LENGTHS.find(([length]) => length === range.length)?.[1] ?? range.length}`;
  const text = (time: string | undefined) => (time === undefined ? undefined : secondText(Date.parse(time), inZone).replace(/ 00:00:00$/, ""));
  const [since, until] = [text(range.since), text(range.until)];
  if (since && until) return `${since} – ${until}`;
  return since ? `Since ${since}` : `Until ${until}`;
}

/** Chooses the range of time. */
export function TimePicker({ events }: { events: Events }) {
  const { range } = view.value;
  const length = events.span ? events.span.last - events.span.first : 0;
  return (
    <Menu label={rangeText(range, zone.value)} class="times">
      {(close) => (
        <div class="timepicker">
          <fieldset>
            <legend>Before the newest event</legend>
            <Choice isChosen={range.kind === "all"} choose={() => (show({ range: { kind: "all" } }), close())}>
              All time{length > 0 ? ` (${lengthText(length)})` : ""}
            </Choice>
            {LENGTHS.filter(([text]) => lengthMs(text)! < Math.max(length, 3600e3)).map(([text, name]) => (
              <Choice key={text} isChosen={range.kind === "last" && range.length === text} choose={() => (show({ range: { kind: "last", length: text } }), close())}>
                Last {name}
              </Choice>
            ))}
          </fieldset>
          <Exact events={events} close={close} />
        </div>
      )}
    </Menu>
  );
}

function Choice({ isChosen, choose, children }: { isChosen: boolean; choose: () => void; children: preact.ComponentChildren }) {
  return <button type="button" class="choice" aria-pressed={isChosen} onClick={choose}>{children}</button>;
}

/** Two instants, to the second, in the zone that times are shown in. */
function Exact({ events, close }: { events: Events; close: () => void }) {
  const bounds = boundsOf(view.value.range, events.span);
  const shown = (ms: number | undefined) => (ms === undefined ? "" : secondText(ms, zone.value).replace(" ", "T"));
  const [since, setSince] = useState(shown(bounds.since ?? events.span?.first));
  const [until, setUntil] = useState(shown(bounds.until ?? (events.span ? events.span.last + 1000 : undefined)));
  const read = (text: string) => (text === "" ? undefined : Date.parse(zone.value === "utc" ? `${text}Z` : text));
  const [from, to] = [read(since), read(until)];
  const isWrong = Number.isNaN(from) || Number.isNaN(to) || (from !== undefined && to !== undefined && from >= to);
  const apply = (event: Event) => {
    event.preventDefault();
    if (isWrong) return;
    const range: TimeRange = {
      kind: "between",
      ...(from === undefined ? {} : { since: new Date(from).toISOString() }),
      ...(to === undefined ? {} : { until: new Date(to).toISOString() }),
    };
    show({ range: from === undefined && to === undefined ? { kind: "all" } : range });
    close();
  };
  return (
    <form onSubmit={apply}>
      <fieldset>
        <legend>Exactly ({zone.value === "utc" ? "UTC" : "local time"})</legend>
        <label>From<input type="datetime-local" step="1" value={since} onInput={(event) => setSince(event.currentTarget.value)} /></label>
        <label>Before<input type="datetime-local" step="1" value={until} onInput={(event) => setUntil(event.currentTarget.value)} /></label>
        <p class="fault" role="status">{isWrong ? "The end must lie after the beginning." : ""}</p>
        <button type="submit" class="primary" disabled={isWrong}>Apply</button>
      </fieldset>
      <fieldset>
        <legend>Times are shown</legend>
        <label class="inline"><input type="radio" name="zone" checked={zone.value === "utc"} onChange={() => (zone.value = "utc")} /> in UTC</label>
        <label class="inline"><input type="radio" name="zone" checked={zone.value === "local"} onChange={() => (zone.value = "local")} /> in local time</label>
      </fieldset>
    </form>
  );
}
