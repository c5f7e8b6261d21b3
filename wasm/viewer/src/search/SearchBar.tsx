import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../app/Icon.tsx";
import type { Events } from "../data/events.ts";
import { show, view } from "../state/page.ts";
import { shortCount } from "../text/numbers.ts";
import { type Offer, type Wanted, fieldOffers, fixedValues, taken, valueOffers, wantedAt } from "./completion.ts";
import { Offers } from "./Offers.tsx";
import { type Problem, problemOf } from "./problem.ts";
import { SavedQueries } from "./SavedQueries.tsx";
import { TimePicker } from "./TimePicker.tsx";

interface Facets {
  facets: { values: { value: string; count: number }[] }[];
}

/** The box for filters, with what may stand there, and what is wrong under its place. */
export function SearchBar({ events }: { events: Events }) {
  const [text, setText] = useState(view.value.filter);
  const [problem, setProblem] = useState<Problem>();
  const [list, setList] = useState<{ wanted: Wanted; offers: Offer[]; chosen: number }>();
  const input = useRef<HTMLInputElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const stop = useRef(new AbortController());
  const filter = view.value.filter;
  useEffect(() => setText(filter), [filter]);
  useProblem(events, text, setProblem);

  const renew = () => {
    stop.current.abort();
    stop.current = new AbortController();
    return stop.current.signal;
  };
  const complete = async () => {
    const signal = renew();
    const { value, selectionStart } = input.current!;
    const wanted = wantedAt(value, selectionStart ?? value.length);
    if (!wanted) return setList(undefined);
    const offers = wanted.kind === "field" ? fieldOffers(wanted.typed, events.columns) : await valuesOf(events, wanted, signal);
    if (!signal.aborted) setList(offers.length > 0 ? { wanted, offers, chosen: -1 } : undefined);
  };
  const close = () => {
    renew();
    setList(undefined);
  };
  const run = () => {
    close();
    show({ filter: text.trim() });
  };
  const take = (offer: Offer) => {
    const next = taken(text, list!.wanted, offer);
    setText(next.filter);
    input.current!.value = next.filter;
    input.current!.setSelectionRange(next.caret, next.caret);
    input.current!.focus();
    if (offer.goesOn) void complete();
    else close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 || (event.key === " " && event.ctrlKey)) {
      event.preventDefault();
      if (!list) void complete();
      else setList({ ...list, chosen: (list.chosen + step + list.offers.length + (list.chosen < 0 && step < 0 ? 1 : 0)) % list.offers.length });
    } else if (event.key === "Tab" && list && !event.shiftKey) {
      event.preventDefault();
      take(list.offers[Math.max(0, list.chosen)]!);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (list && list.chosen >= 0) take(list.offers[list.chosen]!);
      else run();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (list) close();
      else input.current!.blur();
    }
  };
  const place = problem?.place;
  return (
    <div class="searchbar" role="search">
      <div class="searchbox">
        <div class="marks" aria-hidden="true" ref={marks}>
          {place && <>{text.slice(0, place.from)}<mark>{text.slice(place.from, place.to) || " "}</mark></>}
        </div>
        <input
          ref={input} id="search" type="text" class="mono" value={text} spellcheck={false} autocomplete="off" autocapitalize="off"
          placeholder="Filter: kind:login severity>=error &quot;rate limit&quot; -status:success" aria-label="Filter"
          role="combobox" aria-expanded={list !== undefined} aria-controls="offers" aria-autocomplete="list"
          aria-activedescendant={list && list.chosen >= 0 ? `offer-${list.chosen}` : undefined}
          aria-invalid={problem !== undefined} aria-describedby={problem ? "problem" : undefined}
          onInput={(event) => (setText(event.currentTarget.value), void complete())}
          onKeyDown={onKeyDown} onBlur={close} onClick={() => list === undefined && text === "" && void complete()}
          onScroll={(event) => marks.current && (marks.current.scrollLeft = event.currentTarget.scrollLeft)}
        />
        {text !== "" && <button type="button" class="clear" aria-label="Clear the filter" onClick={() => (setText(""), show({ filter: "" }), input.current!.focus())}><Icon name="close" /></button>}
        {list && <Offers offers={list.offers} chosen={list.chosen} take={take} />}
        {problem && !list && <ProblemText problem={problem} />}
      </div>
      <TimePicker events={events} />
      <button type="button" class="primary" onClick={run}>Search</button>
      <SavedQueries />
    </div>
  );
}

function ProblemText({ problem }: { problem: Problem }) {
  return (
    <div class="problem" id="problem" role="status">
      <strong>{problem.message}</strong>
      {problem.expected && <span> {problem.expected}</span>}
      {problem.hint && <span class="hint"> {problem.hint}</span>}
    </div>
  );
}

/** Checks a text a little after it was changed. */
function useProblem(events: Events, text: string, set: (problem: Problem | undefined) => void): void {
  useEffect(() => {
    if (text.trim() === "") return set(undefined);
    const stop = new AbortController();
    const timer = setTimeout(() => {
      events.condition(text, { signal: stop.signal }).then(
        () => !stop.signal.aborted && set(undefined),
        (error: Error) => !stop.signal.aborted && set(problemOf(error, text)),
      );
    }, 150);
    return () => (clearTimeout(timer), stop.abort());
  }, [events, text]);
}

/** Values of a field that begin with what was typed: those that the grammar has, or the most frequent ones. */
async function valuesOf(events: Events, wanted: Wanted & { kind: "value" }, signal: AbortSignal): Promise<Offer[]> {
  const fixed = fixedValues(wanted.field);
  if (fixed) return valueOffers(wanted.typed, fixed.map((value) => ({ value })), shortCount);
  try {
    const report = await events.ask<Facets>({ analysis: "facets", by: [wanted.field], limit: 200 }, { signal });
    return valueOffers(wanted.typed, report.facets[0]?.values ?? [], shortCount);
  } catch {
    // What is no field has no values; the check says so.
    return [];
  }
}
