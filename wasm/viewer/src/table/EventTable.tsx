import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../app/Failure.tsx";
import { useAnswer } from "../data/answer.ts";
import type { Column, Events, Rows } from "../data/events.ts";
import { selection, show, view } from "../state/page.ts";
import { isRelative, widths, zone } from "../state/preferences.ts";
import { shownOf } from "../data/order.ts";
import { microsOf } from "../data/values.ts";
import { remember } from "../details/times.ts";
import { arrived } from "../tail/arrivals.ts";
import { countText } from "../text/numbers.ts";
import { Header } from "./Header.tsx";
import { Pages } from "./pages.ts";
import { ScrolledRows } from "./scrolled-rows.ts";
import { trackOf } from "./cells.ts";

/** The events that match, in rows; only those that are seen are there. */
export function EventTable({ events }: { events: Events }) {
  const { order, columns: names } = view.value;
  const filter = selection.value;
  const key = `${filter}\n${order.column} ${order.descending}`;
  const answer = useAnswer(`${key}\n${arrived.value.count}`, async (options) => ({ rows: await events.select(filter, order, options), key }));
  const rows = answer.value?.rows;
  useEffect(() => () => rows?.close(), [rows]);
  const hasNone = answer.error !== undefined || rows?.length === 0;
  useEffect(() => {
    if (hasNone && !answer.isBusy) shownOf.value = filter;
  }, [hasNone, answer.isBusy, filter]);
  const columns = names.map((name) => events.column(name)).filter((column) => column !== undefined);
  if (answer.error) return <div class="table"><Failure error={answer.error} retry={answer.retry} /></div>;
  if (!rows) return <div class="table" aria-busy="true"><div class="skeleton tall" /></div>;
  if (rows.length === 0) return <div class="table"><NothingFound events={events} /></div>;
  return <Grid key={columns.map(({ name }) => name).join("\n")} events={events} rows={rows} columns={columns} of={answer.value!.key} came={() => (shownOf.value = filter)} isStale={answer.isBusy} />;
}

function NothingFound({ events }: { events: Events }) {
  const { filter, range } = view.value;
  const hasClock = /\blast:|\bsince:(-|now|today|yesterday)|\bday:(today|yesterday)/.test(filter);
  return (
    <div class="nothing">
      <p><strong>No events match.</strong></p>
      {hasClock && events.span && <p>`last:` and the like count back from now. This archive ends at {new Date(events.span.last).toISOString()}; the menu of times counts back from there.</p>}
      <p>
        {range.kind !== "all" && <button type="button" onClick={() => show({ range: { kind: "all" } })}>Search all time</button>}{" "}
        {filter !== "" && <button type="button" onClick={() => show({ filter: "" })}>Clear the filter</button>}
      </p>
    </div>
  );
}

interface GridProps {
  events: Events;
  rows: Rows;
  columns: Column[];
  /** What the rows are of: other rows of the same keep their place on the screen. */
  of: string;
  /** Some rows are there, or cannot be. */
  came: () => void;
  isStale: boolean;
}

/** A table that is drawn. */
interface Drawing {
  rows: ScrolledRows;
  pages: Pages;
}

function Grid({ events, rows, columns, of, came, isStale }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | undefined>(undefined);
  const active = useRef(-1);
  const lastOf = useRef("");
  const [error, setError] = useState<Error>();
  const [tries, setTries] = useState(0);
  const style = { zone: zone.value, newest: isRelative.value ? events.span?.last : undefined };
  const names = columns.map(({ name }) => name);

  useLayoutEffect(() => {
    setError(undefined);
    if (lastOf.current !== of) scroller.current!.scrollTop = 0;
    lastOf.current = of;
    const fetch = (from: number, count: number, signal: AbortSignal) => rows.page(from, count, [...names, "severity"], { signal });
    const pages = new Pages(rows.length, fetch, () => (drawing.current?.rows.later(), came()), (error) => (setError(error), came()));
    const drawn = new ScrolledRows({
      scroller: scroller.current!, body: body.current!, rows: rows.length, columns, style, find: pages.find, active: () => active.current,
      isNew: (seq) => arrived.value.last.has(seq), seen: (first, end, isForward) => pages.see(first, end, isForward),
    });
    drawing.current = { rows: drawn, pages };
    return () => {
      drawn.destroy();
      pages.close();
      drawing.current = undefined;
    };
  }, [rows, names.join("\n"), style.zone, style.newest, tries]);

  const open = useSelection(rows, active, drawing, scroller);
  const tracks = names.map((name, at) => trackOf(name, at === names.length - 1, widths.value)).join(" ");
  useLayoutEffect(() => scroller.current!.style.setProperty("--tracks", tracks), [tracks]);

  const onKeyDown = (event: KeyboardEvent) => {
    const now = drawing.current;
    if (!now || event.ctrlKey || event.metaKey || event.altKey || event.target !== scroller.current) return;
    const far = now.rows.viewport.pageRows;
    const steps: Record<string, number> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: far, PageUp: -far, Home: -rows.length, End: rows.length };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      open.move(step);
    } else if (event.key === "Enter" && active.current >= 0) {
      event.preventDefault();
      open.open(active.current);
    }
  };
  const onClick = (event: MouseEvent) => {
    const row = (event.target as Element).closest<HTMLElement>("[role=row][id]");
    if (!row || String(getSelection()).length > 0) return;
    open.open(Number(row.id.slice("row-".length)));
  };
  return (
    <div class={isStale ? "table stale" : "table"} aria-busy={isStale}>
      {error && <Failure error={error} retry={() => setTries(tries + 1)} isSmall />}
      <div
        class="grid" role="grid" id="events" tabIndex={0} ref={scroller} aria-label={`Events: ${countText(rows.length)}`}
        aria-rowcount={rows.length + 1} aria-colcount={columns.length} onKeyDown={onKeyDown} onClick={onClick}
      >
        <Header columns={columns} sortable />
        <div class="tbody" role="rowgroup" ref={body} />
      </div>
    </div>
  );
}

type Ref<T> = { current: T };

/** Which row is active, and the event that is open. */
function useSelection(rows: Rows, active: Ref<number>, drawing: Ref<Drawing | undefined>, scroller: Ref<HTMLElement | null>) {
  const set = (row: number) => {
    const now = drawing.current;
    if (!now) return;
    active.current = row;
    now.rows.reveal(row);
    scroller.current!.setAttribute("aria-activedescendant", `row-${row}`);
  };
  const open = (row: number, isStep = false) => {
    set(row);
    const pages = drawing.current?.pages;
    const seq = pages?.value(row, "seq");
    if (seq === undefined) return;
    const micros = microsOf(pages?.value(row, "ts"));
    if (micros !== undefined) remember(String(seq), micros);
    show({ event: String(seq) }, { replace: isStep });
  };
  const move = (step: number) => {
    const row = Math.max(0, Math.min(rows.length - 1, active.current + step));
    if (view.value.event === undefined) set(row);
    else open(row, true);
  };
  const seq = view.value.event;
  useEffect(() => {
    const known = active.current >= 0 ? drawing.current?.pages.value(active.current, "seq") : undefined;
    if (seq === undefined || String(known) === seq) return;
    const stop = new AbortController();
    rows.index(seq, { signal: stop.signal }).then(
      (row) => {
        const now = drawing.current;
        if (row === undefined || !now || stop.signal.aborted) return;
        active.current = row;
        now.rows.center(row);
      },
      () => {
        // The event is shown beside the table all the same.
      },
    );
    return () => stop.abort();
  }, [rows, seq]);
  return { open, move };
}
