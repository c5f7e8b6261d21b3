import type { StatsReport } from "@daybook/web";
import { ReportHead } from "../app/ReportHead.tsx";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { Asked } from "../patterns/Asked.tsx";
import { show } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { bytesText, countText, durationText, shareText } from "../text/numbers.ts";
import { secondText } from "../text/times.ts";
import { CountTable } from "./CountTable.tsx";
import { Fact } from "./Fact.tsx";
import { lengthText } from "../state/time-range.ts";

/** Numbers over the events that match, and what the bundle says of itself. */
export function OverviewTab({ events }: { events: Events }) {
  return (
    <>
      <ReportHead events={events} title="Overview" />
      <div class="report">
        <Asked<StatsReport> events={events} request={{ analysis: "stats" }}>{(stats) => <Numbers stats={stats} />}</Asked>
        <About events={events} />
        <ColumnList events={events} />
      </div>
    </>
  );
}

function Numbers({ stats }: { stats: StatsReport }) {
  const { total, from, to, duration_ms: durations } = stats;
  const when = (time: string | null) => (time === null ? "–" : secondText(Date.parse(time), zone.value));
  const ms = (value: number | null) => (value === null ? "–" : durationText(value));
  return (
    <div class="report-parts">
      <dl class="facts">
        <Fact name="Events">{countText(total)}</Fact>
        <Fact name="From" note={when(from).slice(11)}>{when(from).slice(0, 10)}</Fact>
        <Fact name="To" note={from && to ? `${when(to).slice(11)}, ${lengthText(Date.parse(to) - Date.parse(from))} in all` : undefined}>{when(to).slice(0, 10)}</Fact>
        <Fact name="Errors and failures" note={shareText(stats.failed, total)}>{countText(stats.failed)}</Fact>
        <Fact name="Median duration" note={`of ${countText(durations.count)} events`}>{ms(durations.p50)}</Fact>
        <Fact name="95 % take at most" note={`99 %: ${ms(durations.p99)}`}>{ms(durations.p95)}</Fact>
      </dl>
      <div class="columns">
        <CountTable title="Kinds" counts={stats.by_kind} total={total} column="kind" />
        <CountTable title="Sources" counts={stats.by_source} total={total} column="source" />
        <CountTable title="Actors" counts={stats.by_actor} total={total} column="actor" />
        <CountTable title="Levels" counts={stats.by_level} total={total} column="level" />
        <CountTable title="Statuses" counts={stats.by_status} total={total} column="status" />
        <CountTable title="Types of entities" counts={stats.by_entity_type} total={total} column="entity_type" />
      </div>
      <Slowest durations={durations} />
    </div>
  );
}

function Slowest({ durations }: { durations: StatsReport["duration_ms"] }) {
  const groups = durations.by_source_and_kind ?? [];
  if (groups.length === 0) return null;
  const ms = (value: number | null) => (value === null ? "" : durationText(value));
  return (
    <div class="scroll">
      <table class="list">
        <caption>How long things took</caption>
        <thead><tr><th scope="col">Source</th><th scope="col">Kind</th><th scope="col" class="n">Events</th><th scope="col" class="n">Mean</th><th scope="col" class="n">Median</th><th scope="col" class="n">95 %</th><th scope="col" class="n">99 %</th></tr></thead>
        <tbody>{groups.slice(0, 20).map((one) => (
          <tr key={`${one.source}\n${one.kind}`}><td>{one.source}</td><td>{one.kind}</td><td class="n">{countText(one.count)}</td><td class="n">{ms(one.mean)}</td><td class="n">{ms(one.p50)}</td><td class="n">{ms(one.p95)}</td><td class="n">{ms(one.p99)}</td></tr>
        ))}</tbody>
      </table>
    </div>
  );
}

function About({ events }: { events: Events }) {
  const { about } = events.store;
  const counters = useAnswer("counters", () => events.store.counters());
  const counted = counters.value;
  return (
    <section>
      <h2>{events.origin === "file" ? "The file" : "The bundle"}</h2>
      <dl class="facts">
        <Fact name="Title">{about.title}</Fact>
        {about.format && <Fact name="Format" note={about.quarantined ? `${countText(about.quarantined)} of ${countText(about.records ?? 0)} records could not be read` : undefined}>{about.format}</Fact>}
        {about.created && <Fact name="Made" note={about.redacted ? "redacted" : undefined}>{about.created.slice(0, 10)}</Fact>}
        {about.bytes !== undefined && <Fact name="Size" note={`${countText(about.files.length)} files`}>{bytesText(about.bytes)}</Fact>}
        {about.filter && about.filter !== "*" && <Fact name="Filter">{about.filter}</Fact>}
        {counted && <Fact name="Fetched so far" note={`${countText(counted.requests)} requests; ${bytesText(counted.bytesFromCache)} came from the cache`}>{bytesText(counted.bytesFetched)}</Fact>}
        {counted && <Fact name="DuckDB started in">{durationText(counted.duckdbStartMs)}</Fact>}
      </dl>
      {about.reasons && about.reasons.length > 0 && (
        <ul>{about.reasons.map(([place, reason]) => <li key={place} class="quiet">at byte {countText(place)}: {reason}</li>)}</ul>
      )}
    </section>
  );
}

function ColumnList({ events }: { events: Events }) {
  return (
    <div class="scroll">
      <table class="list">
        <caption>Columns ({countText(events.columns.length)})</caption>
        <thead><tr><th scope="col">Column</th><th scope="col">Path</th><th scope="col">Type</th><th scope="col"><span class="hidden">Act</span></th></tr></thead>
        <tbody>{events.columns.map(({ name, path, type }) => (
          <tr key={name}>
            <td class="mono">{name}</td><td class="mono quiet">{path?.join(".")}</td><td class="quiet">{type}</td>
            <td class="n"><button type="button" class="link" onClick={() => show({ tab: "search", facets: [name] })}>Values<span class="hidden"> of {name}</span></button></td>
          </tr>
        ))}</tbody>
      </table>
    </div>
  );
}
