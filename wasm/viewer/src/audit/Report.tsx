import type { ComponentChildren } from "preact";
import type { Events } from "../data/events.ts";
import { Change } from "../details/Changes.tsx";
import { CountTable } from "../overview/CountTable.tsx";
import { Fact } from "../overview/Fact.tsx";
import { show } from "../state/page.ts";
import { countText, durationText, shareText } from "../text/numbers.ts";
import { secondText } from "../text/times.ts";
import type { AuditReport, Listed } from "./report.ts";

/** So many rows of a list are shown; what there is more is said. */
const SHOWN = 50;

const when = (time: string | null | undefined) => (time ? secondText(Date.parse(time), "utc") : "");

/** The report. Its times are in UTC. */
export function Report({ events, report }: { events: Events; report: AuditReport }) {
  const { period, totals } = report;
  const source = events.store.about.source;
  return (
    <article class="report-parts">
      <header>
        <h2 class="title">Audit of {events.title}</h2>
        <p>{when(period.from)} to {when(period.until)} (UTC){report.filter !== "*" && <>, events that match <code>{report.filter}</code></>}. Made {when(period.made_at)}.</p>
        {source && <p class="quiet">Version {source.version} of the store; head of its chain <code class="hash">{source.head}</code></p>}
      </header>
      <dl class="facts">
        <Fact name="Events">{countText(totals.events)}</Fact>
        <Fact name="Errors and failures" note={shareText(totals.errors, totals.events)}>{countText(totals.errors)}</Fact>
        <Fact name="Actors">{countText(totals.actors)}</Fact>
        <Fact name="Entities">{countText(totals.entities)}</Fact>
        <Fact name="Changes with states">{countText(totals.changes)}</Fact>
        <Fact name="Out of hours" note={report.out_of_hours.hours}>{countText(report.out_of_hours.count)}</Fact>
      </dl>
      <Days report={report} />
      <div class="columns">
        <CountTable title="Kinds" counts={report.by_kind} total={totals.events} column="kind" limit={20} />
        <CountTable title="Actors" counts={report.by_actor} total={totals.events} column="actor" limit={20} />
        <CountTable title="Out of hours, by actor" counts={report.out_of_hours.by_actor} total={report.out_of_hours.count} limit={20} />
        <CountTable title="Redacted values, by column" counts={report.redacted} total={totals.events} />
      </div>
      <EventList title="Errors and failures" events={report.failures} />
      <Changes report={report} />
      <SessionList report={report} />
      <EventList title={`Outside of ${report.out_of_hours.hours}`} events={report.out_of_hours.events} />
      <Gaps report={report} />
      {report.left_out.length > 0 && <ul class="quiet">{report.left_out.map((note) => <li key={note}>{note}</li>)}</ul>}
    </article>
  );
}

/** Events and errors of each day as bars. */
function Days({ report }: { report: AuditReport }) {
  const days = Object.entries(report.by_day);
  if (days.length < 2) return null;
  const top = Math.max(...days.map(([, count]) => count));
  const width = 900 / days.length;
  return (
    <figure class="days">
      <svg viewBox="0 0 900 90" role="img" aria-label={`Events by day, at most ${countText(top)}`}>
        {days.map(([day, count], at) => {
          const [all, errors] = [(count / top) * 84, ((report.errors_by_day[day] ?? 0) / top) * 84];
          return (
            <g key={day}>
              <title>{day}: {countText(count)} events, {countText(report.errors_by_day[day] ?? 0)} errors</title>
              <rect class="band-info" x={at * width} y={90 - all} width={Math.max(width - 1, 0.8)} height={all} />
              <rect class="band-error" x={at * width} y={90 - errors} width={Math.max(width - 1, 0.8)} height={errors} />
            </g>
          );
        })}
      </svg>
      <figcaption class="quiet">Events by day, {days[0]![0]} to {days.at(-1)![0]}; errors in red.</figcaption>
    </figure>
  );
}

function Section({ title, count, children }: { title: string; count: number; children: ComponentChildren }) {
  if (count === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      {children}
      {count > SHOWN && <p class="quiet">and {countText(count - SHOWN)} more that the report has</p>}
    </section>
  );
}

function EventList({ title, events }: { title: string; events: readonly Listed[] }) {
  return (
    <Section title={title} count={events.length}>
      <div class="scroll">
        <table class="list">
          <thead><tr><th scope="col">When</th><th scope="col">Kind</th><th scope="col">Actor</th><th scope="col">Source</th><th scope="col">Message</th></tr></thead>
          <tbody>{events.slice(0, SHOWN).map((event) => (
            <tr key={event.seq}>
              <td><button type="button" class="link" onClick={() => show({ tab: "search", event: String(event.seq), range: { kind: "all" } })}>{when(event.ts)}</button></td>
              <td>{event.kind}</td><td>{event.actor}</td><td>{event.source}</td><td>{event.message ?? event.status}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </Section>
  );
}

function Changes({ report }: { report: AuditReport }) {
  return (
    <Section title="What was changed" count={report.changes.length}>
      {report.changes.slice(0, SHOWN).map((entity) => (
        <details key={`${entity.entity_type} ${entity.entity_id}`} open={report.changes.length <= 10}>
          <summary><b>{entity.entity_type} {entity.entity_id}</b> <span class="quiet">{countText(entity.changes.length)} changes</span></summary>
          <ol class="history">
            {entity.changes.slice(0, SHOWN).map((change) => (
              <li key={change.seq}>{when(change.ts)} {change.kind} {change.actor && `by ${change.actor}`}{change.diff.map((one) => <Change key={one.path} difference={{ ...one, kind: one.change }} />)}</li>
            ))}
          </ol>
        </details>
      ))}
    </Section>
  );
}

function SessionList({ report }: { report: AuditReport }) {
  return (
    <Section title="Sessions" count={report.sessions.length}>
      <div class="scroll">
        <table class="list">
          <thead><tr><th scope="col">Session</th><th scope="col">Actor</th><th scope="col">From</th><th scope="col" class="n">Took</th><th scope="col" class="n">Events</th><th scope="col" class="n">Errors</th><th scope="col">Outcome</th></tr></thead>
          <tbody>{report.sessions.slice(0, SHOWN).map((one) => (
            <tr key={one.session}><td class="mono">{one.session}</td><td>{one.actor}</td><td>{when(one.from)}</td><td class="n">{durationText(one.duration_ms)}</td><td class="n">{countText(one.events)}</td><td class="n">{countText(one.errors)}</td><td>{one.outcome}</td></tr>
          ))}</tbody>
        </table>
      </div>
    </Section>
  );
}

function Gaps({ report }: { report: AuditReport }) {
  return (
    <Section title="Times without events" count={report.gaps.length}>
      <ul>{report.gaps.slice(0, SHOWN).map((gap) => <li key={gap.from}>{when(gap.from)} to {when(gap.to)} <span class="quiet">({gap.hours.toFixed(1)} hours)</span></li>)}</ul>
    </Section>
  );
}
