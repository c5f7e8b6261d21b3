import { useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../app/Failure.tsx";
import { Icon } from "../app/Icon.tsx";
import { copy } from "../app/notice.ts";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { bandOf, severityName } from "../data/severity.ts";
import { json } from "../data/values.ts";
import { show } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { exactTime, relativeText } from "../text/times.ts";
import { Changes } from "./Changes.tsx";
import { Fields } from "./Fields.tsx";
import { History } from "./History.tsx";
import { Json } from "./Json.tsx";
import { Related } from "./Related.tsx";
import { timeOf } from "./times.ts";
import { type Record_, recordOf } from "./record.ts";

/** The event that is open, with all that it has. */
export function Details({ events, seq }: { events: Events; seq: string }) {
  const panel = useRef<HTMLElement>(null);
  const answer = useAnswer(seq, async (options) => {
    return { record: recordOf(await events.event(seq, timeOf(seq), options), events.columns) };
  });
  const close = () => {
    show({ event: undefined } as object);
    document.getElementById("events")?.focus();
  };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) close();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  const record = answer.value?.record;
  return (
    <aside class="details" aria-label="The event" aria-busy={answer.isBusy} ref={panel}>
      <button type="button" class="icon close" aria-label="Close the event" title="Close (Esc)" onClick={close}><Icon name="close" /></button>
      {answer.error && <Failure error={answer.error} retry={answer.retry} />}
      {!answer.error && !answer.value && <div class="skeleton tall" />}
      {answer.value && !record && <p class="nothing">There is no event {seq} here.</p>}
      {record && <Shown key={record.seq} events={events} record={record} />}
    </aside>
  );
}

const PARTS = { fields: "Fields", changes: "Changes", history: "History", json: "JSON" } as const;
type Part = keyof typeof PARTS;
/** The part that was looked at last, for the next event. */
let lastPart: Part = "fields";

function Shown({ events, record }: { events: Events; record: Record_ }) {
  const value = (name: string) => record.fields.find(({ column }) => column.name === name && column.path === null)?.value;
  const [before, after, type, id] = ["before", "after", "entity_type", "entity_id"].map(value);
  const hasChanges = before !== undefined || after !== undefined;
  const hasHistory = id !== undefined;
  const parts = (Object.keys(PARTS) as Part[]).filter((part) => (part !== "changes" || hasChanges) && (part !== "history" || hasHistory));
  const [part, setPart] = useState<Part>(parts.includes(lastPart) ? lastPart : "fields");
  const choose = (next: Part) => setPart((lastPart = next));
  const severity = value("severity") as number | undefined;
  const ms = Number(record.micros) / 1000;
  return (
    <>
      <header>
        <h2>
          {severity !== undefined && <span class={`level level-${bandOf(severity)}`}>{severityName(severity)}</span>} {String(value("kind") ?? "event")}
        </h2>
        <p class="when">
          <time>{exactTime(record.micros, zone.value)}</time>
          {events.span && <span class="quiet"> {relativeText(ms, events.span.last, { before: "before the newest", after: "after", same: "the newest event" })}</span>}
        </p>
        {value("message") !== undefined && <p class="message mono">{String(value("message"))}</p>}
        <Related record={record} openHistory={() => choose("history")} />
      </header>
      <div class="tabs small" role="tablist" aria-label="Parts of the event">
        {parts.map((one) => (
          <button key={one} type="button" role="tab" id={`part-${one}`} aria-controls="part" aria-selected={one === part} tabIndex={one === part ? 0 : -1}
            onClick={() => choose(one)} onKeyDown={(event) => stepTab(event, parts, part, choose)}>{PARTS[one]}</button>
        ))}
      </div>
      <div role="tabpanel" id="part" aria-labelledby={`part-${part}`} class="part">
        {part === "fields" && <Fields record={record} />}
        {part === "changes" && <Changes before={before} after={after} />}
        {part === "history" && <History events={events} type={type === undefined ? undefined : String(type)} id={String(id)} />}
        {part === "json" && (
          <>
            <button type="button" onClick={() => void copy(json(record.json, 2), "The event is copied as JSON.")}>Copy as JSON</button>
            <Json value={record.json} />
          </>
        )}
      </div>
    </>
  );
}

/** Arrows go from tab to tab. */
function stepTab(event: KeyboardEvent, parts: readonly Part[], part: Part, choose: (part: Part) => void): void {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  const next = parts[(parts.indexOf(part) + step + parts.length) % parts.length]!;
  choose(next);
  document.getElementById(`part-${next}`)?.focus();
}

