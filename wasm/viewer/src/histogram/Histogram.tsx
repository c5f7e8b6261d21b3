import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { Failure } from "../app/Failure.tsx";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { BANDS, type Band, bandTerm } from "../data/severity.ts";
import { withTerm } from "../search/filter-text.ts";
import { selection, show, view } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { between, boundsOf, lengthText } from "../state/time-range.ts";
import { arrived } from "../tail/arrivals.ts";
import { countText, shortCount } from "../text/numbers.ts";
import { axisText, secondText } from "../text/times.ts";
import { useWidth } from "../app/use-width.ts";
import { type Buckets, bandTotals, bucketsOf, gridOf, labelled, roundUp, totalAt } from "./buckets.ts";

const EMPTY = { first: 0, last: 0 };
const HEIGHT = 84;
const BOTTOM = 16;

/** Events over time by severity. A part that is marked becomes the range of time. */
export function Histogram({ events, children }: { events: Events; children: ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const range = view.value.range;
  const span = events.span ?? EMPTY;
  const grid = useMemo(() => {
    const bounds = boundsOf(range, span);
    const [since, until] = [bounds.since ?? span.first, bounds.until ?? span.last + 1];
    return gridOf(since, Math.max(until, since + 1), 110, offsetOf(since));
  }, [range, span, zone.value]);
  const filter = view.value.filter;
  const answer = useAnswer(`${filter}\n${grid.origin} ${grid.step} ${grid.count}\n${selection.value}\n${arrived.value.count}`, async (options) => {
    return bucketsOf(grid, await events.buckets(grid, selection.value, options));
  });
  const buckets = answer.value;
  return (
    <section class="histogram" aria-label="Events over time" aria-busy={answer.isBusy}>
      <div class="chart" ref={root}>
        {answer.error ? <Failure error={answer.error} retry={answer.retry} isSmall /> : buckets ? <Bars buckets={buckets} width={width} isStale={answer.isBusy} /> : <div class="skeleton" />}
      </div>
      <div class="tools">
        {buckets && <Legend buckets={buckets} />}
        {children}
      </div>
    </section>
  );
}

/** How far the zone that times are shown in is ahead of UTC. */
function offsetOf(instant: number): number {
  return zone.value === "utc" ? 0 : -new Date(instant).getTimezoneOffset() * 60_000;
}

/** What is marked: the first and the last stretch. */
type Mark = { from: number; to: number };

function Bars({ buckets, width, isStale }: { buckets: Buckets; width: number; isStale: boolean }) {
  const [mark, setMark] = useState<Mark>();
  const [hover, setHover] = useState<number>();
  const drag = useRef<number | undefined>(undefined);
  const { count, origin, step } = buckets;
  const barWidth = width / count;
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return Math.max(0, Math.min(count - 1, Math.floor(((event.clientX - box.left) / box.width) * count)));
  };
  const zoom = (to: Mark) => {
    setMark(undefined);
    const [first, last] = [Math.min(to.from, to.to), Math.max(to.from, to.to)];
    show({ range: between(origin + first * step, origin + (last + 1) * step) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -count, End: count }[event.key];
    if (move !== undefined) {
      event.preventDefault();
      const to = Math.max(0, Math.min(count - 1, (mark?.to ?? (move > 0 ? -1 : count)) + move));
      setMark({ from: event.shiftKey && mark ? mark.from : to, to });
    } else if (event.key === "Enter" && mark) zoom(mark);
    else if (event.key === "Escape" && mark) {
      event.stopPropagation();
      setMark(undefined);
    } else if (event.key === "-" || event.key === "Backspace") show({ range: { kind: "all" } });
  };
  const pointed = mark?.to ?? hover;
  return (
    <>
      <svg
        width={width} height={HEIGHT} class={isStale ? "stale" : ""} role="slider" tabIndex={0}
        aria-label="Stretch of time: arrows move, Shift and arrows mark several, Enter zooms, minus shows all"
        aria-valuemin={0} aria-valuemax={count - 1} aria-valuenow={pointed ?? 0} aria-valuetext={describe(buckets, pointed ?? 0)}
        onKeyDown={onKeyDown} onBlur={() => setMark(undefined)}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          drag.current = at(event);
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          setHover(at(event));
          if (drag.current !== undefined) setMark({ from: drag.current, to: at(event) });
        }}
        onPointerUp={(event) => {
          if (drag.current === undefined) return;
          const from = drag.current;
          drag.current = undefined;
          zoom({ from, to: at(event) });
        }}
        onPointerCancel={() => ((drag.current = undefined), setMark(undefined))}
        onPointerLeave={() => setHover(undefined)}
      >
        <BarRects buckets={buckets} width={width} />
        {mark && <rect class="mark" x={Math.min(mark.from, mark.to) * barWidth} width={(Math.abs(mark.to - mark.from) + 1) * barWidth} y={0} height={HEIGHT - BOTTOM} />}
        {!mark && hover !== undefined && <rect class="hover" x={hover * barWidth} width={barWidth} y={0} height={HEIGHT - BOTTOM} />}
      </svg>
      {pointed !== undefined && <Tip buckets={buckets} at={pointed} mark={mark} width={width} />}
    </>
  );
}

function BarRects({ buckets, width }: { buckets: Buckets; width: number }) {
  const { count, origin, step } = buckets;
  const inZone = zone.value;
  return useMemo(() => {
    const top = roundUp(Math.max(...Array.from({ length: count }, (_, at) => totalAt(buckets, at))));
    const barWidth = width / count;
    const gap = barWidth > 4 ? 1 : 0;
    const scale = (HEIGHT - BOTTOM - 12) / top;
    const bars = [];
    for (let at = 0; at < count; at++) {
      let y = HEIGHT - BOTTOM;
      for (let band = BANDS.length - 1; band >= 0; band--) {
        const n = buckets.counts[band]![at]!;
        if (n === 0) continue;
        const height = Math.max(n * scale, 1);
        y -= height;
        bars.push(<rect key={`${at} ${band}`} class={`band-${BANDS[band]}`} x={at * barWidth} y={y} width={Math.max(barWidth - gap, 1)} height={height} />);
      }
    }
    const labels = labelled(buckets, Math.floor(width / 90), offsetOf(origin));
    return (
      <g>
        <line class="axis" x1={0} x2={width} y1={HEIGHT - BOTTOM + 0.5} y2={HEIGHT - BOTTOM + 0.5} />
        {bars}
        <text class="most" x={2} y={9}>{shortCount(top)}</text>
        {labels.instants.map((instant) => {
          const x = ((instant - origin) / step) * barWidth;
          return <text key={instant} x={x} y={HEIGHT - 3} text-anchor={x > width - 70 ? "end" : "start"}>{axisText(instant, labels.step, inZone)}</text>;
        })}
      </g>
    );
  }, [buckets, width, inZone]);
}

/** A stretch in words. */
function describe(buckets: Buckets, at: number): string {
  const parts = BANDS.map((band, number) => [band, buckets.counts[number]![at] ?? 0] as const).filter(([, n]) => n > 0);
  const bands = parts.map(([band, n]) => `${countText(n)} ${band === "none" ? "without a level" : band}`).join(", ");
  return `${secondText(buckets.origin + at * buckets.step, zone.value)}: ${countText(totalAt(buckets, at))} events${bands ? `: ${bands}` : ""}`;
}

function Tip({ buckets, at, mark, width }: { buckets: Buckets; at: number; mark: Mark | undefined; width: number }) {
  const { origin, step, count } = buckets;
  const [first, last] = mark ? [Math.min(mark.from, mark.to), Math.max(mark.from, mark.to)] : [at, at];
  const sum = (band: number) => buckets.counts[band]!.subarray(first, last + 1).reduce((total, one) => total + one, 0);
  const sums = BANDS.map((_, band) => sum(band));
  const left = ((at + 0.5) / count) * width;
  return (
    <div class="tip" aria-hidden="true" style={{ transform: `translateX(${Math.round(left)}px) translateX(${left > width / 2 ? "calc(-100% - 8px)" : "8px"})` }}>
      <div class="when">{secondText(origin + first * step, zone.value)} <span class="quiet">+ {lengthText((last - first + 1) * step)}</span></div>
      <div><b>{countText(sums.reduce((total, one) => total + one, 0))}</b> events</div>
      {[...BANDS.entries()].reverse().filter(([band]) => sums[band]! > 0).map(([band, name]) => (
        <div key={name}><i class={`dot band-${name}`} /> {name === "none" ? "no level" : name} <b>{countText(sums[band]!)}</b></div>
      ))}
    </div>
  );
}

/** What the bars say, in words, with buttons that choose a level. */
function Legend({ buckets }: { buckets: Buckets }) {
  const totals = bandTotals(buckets);
  const bands = [...BANDS.entries()].filter(([at]) => totals[at]! > 0).reverse();
  const choose = (band: Band) => show({ filter: withTerm(view.value.filter, bandTerm(band)) });
  const busiest = totals.length > 0 && buckets.total > 0 ? peak(buckets) : undefined;
  return (
    <div class="legend">
      <span class="total"><b data-testid="total">{countText(buckets.total)}</b> {buckets.total === 1 ? "event" : "events"}</span>
      {bands.map(([at, band]) => (
        <button type="button" class="chip" key={band} title={`Only ${band === "none" ? "events without a level" : band}`} onClick={() => choose(band)}>
          <i class={`dot band-${band}`} /> {band === "none" ? "no level" : band} {shortCount(totals[at]!)}
        </button>
      ))}
      <span class="quiet">a bar is {lengthText(buckets.step)}</span>
      {busiest !== undefined && <span class="hidden">Most events: {describe(buckets, busiest)}.</span>}
      {view.value.range.kind !== "all" && <button type="button" class="chip" onClick={() => show({ range: { kind: "all" } })}>Show all time</button>}
    </div>
  );
}

function peak(buckets: Buckets): number {
  let most = 0;
  for (let at = 1; at < buckets.count; at++) if (totalAt(buckets, at) > totalAt(buckets, most)) most = at;
  return most;
}
