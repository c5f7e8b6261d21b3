import { useRef } from "preact/hooks";
import { useWidth } from "../app/use-width.ts";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { type Buckets, bucketsOf, gridOf, labelled, totalAt } from "../histogram/buckets.ts";
import { selection, view } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { boundsOf } from "../state/time-range.ts";
import { axisText } from "../text/times.ts";
import { Asked, LeftOut } from "./Asked.tsx";
import { FindingList } from "./Findings.tsx";
import type { BurstsReport, Finding } from "./reports.ts";
import { countText } from "../text/numbers.ts";

const HEIGHT = 120;
const BOTTOM = 16;

/** Bursts, drops and silences: on a chart of all events, and one by one. */
export function Bursts({ events }: { events: Events }) {
  return (
    <Asked<BurstsReport> events={events} request={{ analysis: "bursts", limit: 50 }}>
      {(report) => (
        <>
          <p class="quiet">{countText(report.events)} events in {countText(report.series)} series, counted by {report.every}; {countText(report.found)} findings.</p>
          <Overlay events={events} findings={report.findings} />
          <FindingList findings={report.findings} />
          <LeftOut notes={report.left_out} />
        </>
      )}
    </Asked>
  );
}

function Overlay({ events, findings }: { events: Events; findings: readonly Finding[] }) {
  const root = useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const span = events.span ?? { first: 0, last: 0 };
  const bounds = boundsOf(view.value.range, events.span);
  const grid = gridOf(bounds.since ?? span.first, bounds.until ?? span.last + 1, 220);
  const answer = useAnswer(`${selection.value}\n${grid.origin} ${grid.step}`, async (options) =>
    bucketsOf(grid, await events.buckets(grid, selection.value, options)));
  return <div ref={root}>{answer.value && <OverlayChart buckets={answer.value} findings={findings} width={width} />}</div>;
}

function OverlayChart({ buckets, findings, width }: { buckets: Buckets; findings: readonly Finding[]; width: number }) {
  const { origin, step, count } = buckets;
  const totals = Array.from({ length: count }, (_, at) => totalAt(buckets, at));
  const top = Math.max(1, ...totals);
  const bar = width / count;
  const place = (time: string) => ((Date.parse(time) - origin) / step) * bar;
  const timed = findings.filter(({ from, to }) => from !== undefined && to !== undefined);
  const labels = labelled(buckets, Math.floor(width / 100));
  return (
    <svg class="overlay" width={width} height={HEIGHT} role="img" aria-label={`Events over time with ${timed.length} findings marked; they are listed below`}>
      {timed.map(({ from, to }, at) => <rect key={`span ${at}`} class="span" x={place(from!)} y={0} width={Math.max(place(to!) - place(from!), 2)} height={HEIGHT - BOTTOM} />)}
      {totals.map((total, at) => <rect key={at} class="bar" x={at * bar} y={HEIGHT - BOTTOM - (total / top) * (HEIGHT - BOTTOM - 8)} width={Math.max(bar - 0.6, 0.6)} height={(total / top) * (HEIGHT - BOTTOM - 8)} />)}
      {timed.map(({ from }, at) => <circle key={`tick ${at}`} class="tick" cx={place(from!)} cy={4} r={3} />)}
      {labels.instants.map((instant) => <text key={instant} x={((instant - origin) / step) * bar} y={HEIGHT - 3}>{axisText(instant, labels.step, zone.value)}</text>)}
    </svg>
  );
}
