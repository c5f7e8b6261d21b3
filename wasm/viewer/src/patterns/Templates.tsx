import { useState } from "preact/hooks";
import type { Events } from "../data/events.ts";
import { selection, view } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { boundsOf } from "../state/time-range.ts";
import { countText, shareText } from "../text/numbers.ts";
import { secondText } from "../text/times.ts";
import { Asked, LeftOut } from "./Asked.tsx";
import { ShowLink } from "./ShowLink.tsx";
import type { TemplateCount, TemplatesReport } from "./reports.ts";

type Which = "frequent" | "rare" | "new";

/** What messages are like: the most frequent templates, the rarest, and those that are new. */
export function Templates({ events }: { events: Events }) {
  const [which, setWhich] = useState<Which>("frequent");
  const span = events.span;
  const bounds = boundsOf(view.value.range, span);
  const [from, to] = [bounds.since ?? span?.first ?? 0, bounds.until ?? span?.last ?? 0];
  const recent = new Date(to - (to - from) / 10).toISOString();
  const more = which === "rare" ? { rare: true } : which === "new" ? { new_since: recent } : {};
  return (
    <>
      <div class="tabs small" role="group" aria-label="Which templates">
        {(["frequent", "rare", "new"] as const).map((one) => <button type="button" key={one} aria-pressed={which === one} onClick={() => setWhich(one)}>{{ frequent: "Most frequent", rare: "Rarest", new: "New" }[one]}</button>)}
      </div>
      {which === "new" && <p class="quiet">Templates that were not there before {secondText(Date.parse(recent), zone.value)}.</p>}
      <Asked<TemplatesReport> key={selection.value} events={events} request={{ analysis: "templates", limit: 100, ...more }}>
        {(report) => (
          <>
            <p class="quiet">{countText(report.found)} templates in {countText(report.events)} events; {countText(report.without)} events have no message.</p>
            <div class="scroll"><TemplateTable report={report} /></div>
            <LeftOut notes={report.notes} />
          </>
        )}
      </Asked>
    </>
  );
}

function TemplateTable({ report }: { report: TemplatesReport }) {
  if (report.templates.length === 0) return <p class="quiet">There are none.</p>;
  return (
    <table class="list">
      <caption class="hidden">Templates of messages</caption>
      <thead><tr><th scope="col" class="n">Events</th><th scope="col">Template</th><th scope="col">Level</th><th scope="col">Source</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
      <tbody>{report.templates.map((template) => <Row key={template.id} template={template} all={report.events} />)}</tbody>
    </table>
  );
}

function Row({ template: { template, example, events, level, source, first, last, show }, all }: { template: TemplateCount; all: number }) {
  const when = (time: string | null) => (time === null ? "" : secondText(Date.parse(time), zone.value));
  return (
    <tr>
      <td class="n">{countText(events)} <span class="quiet">{shareText(events, all)}</span></td>
      <td>
        <ShowLink words={show}><span class="template">{parts(template ?? example ?? "")}</span></ShowLink>
        {example && example !== template && <div class="quiet mono">{example}</div>}
      </td>
      <td>{level}</td>
      <td>{source}</td>
      <td>{when(first)}</td>
      <td>{when(last)}</td>
    </tr>
  );
}

/** A template with its parameters told apart. */
function parts(template: string) {
  return template.split("<*>").flatMap((text, at) => (at === 0 ? [text] : [<b key={at}>{"<*>"}</b>, text]));
}
