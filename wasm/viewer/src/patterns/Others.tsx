import type { Events } from "../data/events.ts";
import { termOf } from "../search/filter-text.ts";
import { zone } from "../state/preferences.ts";
import { countText } from "../text/numbers.ts";
import { secondText } from "../text/times.ts";
import { Asked, LeftOut } from "./Asked.tsx";
import { FindingList } from "./Findings.tsx";
import { ShowLink } from "./ShowLink.tsx";
import type { ActorsReport, PatternsReport, RhythmsReport } from "./reports.ts";
import { openFilter } from "./shown.ts";

const when = (time: string | null) => (time === null ? "" : secondText(Date.parse(time), zone.value));

/** What is usual, and what is not. */
export function Summary({ events }: { events: Events }) {
  return (
    <Asked<PatternsReport> events={events} request={{ analysis: "patterns", limit: 30 }}>
      {(report) => (
        <div class="report-parts">
          <section><h2>Usual</h2><ul>{report.usual.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul></section>
          <section><h2>Not usual</h2><FindingList findings={report.findings} /></section>
          <LeftOut notes={report.left_out} />
        </div>
      )}
    </Asked>
  );
}

/** Kinds that come again and again, and the turns that they missed. */
export function RhythmList({ events }: { events: Events }) {
  return (
    <Asked<RhythmsReport> events={events} request={{ analysis: "rhythms", limit: 50 }}>
      {(report) => (
        <>
          <table class="list">
            <caption>Kinds with a rhythm, of {countText(report.values)}</caption>
            <thead><tr><th scope="col">Kind</th><th scope="col">Every</th><th scope="col" class="n">Turns</th><th scope="col" class="n">Missed</th><th scope="col">Missed at</th><th scope="col">Last</th></tr></thead>
            <tbody>{report.rhythms.map((one) => (
              <tr key={one.value}>
                <td><ShowLink words={one.show}><span class="mono">{one.value}</span></ShowLink></td><td>{one.every}</td><td class="n">{countText(one.turns)}</td>
                <td class={one.missed > 0 ? "n fault" : "n"}>{countText(one.missed)}</td><td>{one.missed_at.slice(0, 3).map(when).join(", ")}</td><td>{when(one.last)}</td>
              </tr>
            ))}</tbody>
          </table>
          <LeftOut notes={report.left_out} />
        </>
      )}
    </Asked>
  );
}

/** Who does most, and what is new for an actor. */
export function ActorList({ events }: { events: Events }) {
  return (
    <Asked<ActorsReport> events={events} request={{ analysis: "actors", limit: 40 }}>
      {(report) => (
        <div class="report-parts">
          {report.unusual.length > 0 && (
            <table class="list">
              <caption>What an actor did for once</caption>
              <thead><tr><th scope="col">Actor</th><th scope="col">From</th><th scope="col" class="n">Events</th><th scope="col">New for them</th></tr></thead>
              <tbody>{report.unusual.map((one) => (
                <tr key={`${one.actor} ${one.from}`}>
                  <td><ShowLink words={one.show}>{one.actor}</ShowLink></td><td>{when(one.from)}</td><td class="n">{countText(one.events)}</td>
                  <td>{[one.new_kind && `kind ${one.new_kind}`, one.new_entity_type && `entities of type ${one.new_entity_type}`, one.new_hour !== null && `at ${one.new_hour}:00 UTC`, one.many && `so many ${one.many}`].filter(Boolean).join(", ")}</td>
                </tr>
              ))}</tbody>
            </table>
          )}
          <table class="list">
            <caption>Most active, of {countText(report.actors)} actors</caption>
            <thead><tr><th scope="col">Actor</th><th scope="col" class="n">Events</th><th scope="col" class="n">Errors</th><th scope="col" class="n">Kinds</th><th scope="col" class="n">Days</th><th scope="col">Last</th></tr></thead>
            <tbody>{report.most_active.map((one) => (
              <tr key={one.actor}>
                <td><button type="button" class="link" onClick={() => openFilter(termOf({ name: "actor", path: null }, one.actor))}>{one.actor}</button></td>
                <td class="n">{countText(one.events)}</td><td class="n">{countText(one.errors)}</td><td class="n">{countText(one.kinds)}</td><td class="n">{countText(one.days)}</td><td>{when(one.last)}</td>
              </tr>
            ))}</tbody>
          </table>
          <LeftOut notes={report.left_out} />
        </div>
      )}
    </Asked>
  );
}
