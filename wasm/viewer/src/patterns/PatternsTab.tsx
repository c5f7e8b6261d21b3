import type { FunctionComponent } from "preact";
import { ReportHead } from "../app/ReportHead.tsx";
import type { Events } from "../data/events.ts";
import { show, view } from "../state/page.ts";
import { PATTERN_VIEWS, type PatternView } from "../state/view.ts";
import { Bursts } from "./Bursts.tsx";
import { ActorList, RhythmList, Summary } from "./Others.tsx";
import { Sequences } from "./Sequences.tsx";
import { Templates } from "./Templates.tsx";

const PARTS: Record<PatternView, [string, FunctionComponent<{ events: Events }>]> = {
  findings: ["Findings", Summary],
  templates: ["Templates", Templates],
  sequences: ["Sequences", Sequences],
  bursts: ["Bursts", Bursts],
  rhythms: ["Rhythms", RhythmList],
  actors: ["Actors", ActorList],
};

/** What is usual, what is new and what is wrong among the events that match. */
export function PatternsTab({ events }: { events: Events }) {
  const now = view.value.patterns;
  const Part = PARTS[now][1];
  return (
    <>
      <ReportHead events={events} title="Patterns" />
      <nav class="tabs subnav" aria-label="Kinds of patterns">
        {PATTERN_VIEWS.map((one) => <button type="button" key={one} aria-pressed={one === now} onClick={() => show({ patterns: one })}>{PARTS[one][0]}</button>)}
      </nav>
      <div class="report"><Part events={events} /></div>
    </>
  );
}
