import type { Events } from "../data/events.ts";
import { termOf } from "../search/filter-text.ts";
import { zone } from "../state/preferences.ts";
import { countText, durationText, shareText } from "../text/numbers.ts";
import { secondText } from "../text/times.ts";
import { Asked, LeftOut } from "./Asked.tsx";
import { ShowLink } from "./ShowLink.tsx";
import { openFilter } from "./shown.ts";
import type { SequencesReport } from "./reports.ts";

/** What follows what in sessions, and sessions that go another way. */
export function Sequences({ events }: { events: Events }) {
  return (
    <Asked<SequencesReport> events={events} request={{ analysis: "sequences", limit: 40 }}>
      {(report) => (
        <div class="report-parts">
          <p class="quiet">{countText(report.sessions)} sessions with {countText(report.steps)} steps.</p>
          <Paths report={report} />
          <Pairs report={report} />
          <Unusual report={report} />
          <LeftOut notes={report.left_out} />
        </div>
      )}
    </Asked>
  );
}

const kindTerm = (kind: string) => termOf({ name: "kind", path: null }, kind);

function Kinds({ kinds }: { kinds: readonly string[] }) {
  return <span class="kinds">{kinds.flatMap((kind, at) => [at > 0 && " → ", <button type="button" class="link" key={at} onClick={() => openFilter(kindTerm(kind))}>{kind}</button>])}</span>;
}

function Paths({ report }: { report: SequencesReport }) {
  return (
    <table class="list">
      <caption>Frequent paths</caption>
      <thead><tr><th scope="col" class="n">Times</th><th scope="col">Kinds in order</th><th scope="col" class="n">Goes on so</th></tr></thead>
      <tbody>{report.paths.map((path) => <tr key={path.kinds.join("\n")}><td class="n">{countText(path.support)}</td><td><Kinds kinds={path.kinds} /></td><td class="n">{shareText(path.confidence, 1)}</td></tr>)}</tbody>
    </table>
  );
}

function Pairs({ report }: { report: SequencesReport }) {
  return (
    <table class="list">
      <caption>What follows more often than by chance</caption>
      <thead><tr><th scope="col" class="n">Times</th><th scope="col">First, then</th><th scope="col" class="n">Share</th><th scope="col" class="n">Times chance</th><th scope="col" class="n">Median time between</th></tr></thead>
      <tbody>{report.pairs.map((pair) => (
        <tr key={`${pair.first}\n${pair.then}`}>
          <td class="n">{countText(pair.support)}</td><td><Kinds kinds={[pair.first, pair.then]} /></td><td class="n">{shareText(pair.confidence, 1)}</td>
          <td class="n">{pair.lift.toFixed(1)}</td><td class="n">{durationText(pair.seconds_median * 1000)}</td>
        </tr>
      ))}</tbody>
    </table>
  );
}

function Unusual({ report }: { report: SequencesReport }) {
  if (report.unusual.length === 0) return null;
  return (
    <table class="list">
      <caption>Sessions that leave the usual path</caption>
      <thead><tr><th scope="col">Session</th><th scope="col">From</th><th scope="col" class="n">Steps</th><th scope="col">Rarest step</th><th scope="col" class="n">Elsewhere</th></tr></thead>
      <tbody>{report.unusual.map((one) => (
        <tr key={one.session}>
          <td><ShowLink words={one.show}><span class="mono">{one.session}</span></ShowLink></td><td>{secondText(Date.parse(one.from), zone.value)}</td>
          <td class="n">{countText(one.steps)}</td><td class="kinds">{one.rarest.join(" → ")}</td><td class="n">{countText(one.rarest_support)}</td>
        </tr>
      ))}</tbody>
    </table>
  );
}
