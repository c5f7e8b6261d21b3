import type { ComponentChildren } from "preact";
import { Failure } from "../app/Failure.tsx";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { selection } from "../state/page.ts";
import { bytesText } from "../text/numbers.ts";

interface AskedProps<T> {
  events: Events;
  request: { analysis: string; [key: string]: unknown };
  children: (report: T) => ComponentChildren;
}

/** A report of an analysis of the events that the filter matches. */
export function Asked<T>({ events, request, children }: AskedProps<T>) {
  const filter = selection.value;
  const answer = useAnswer(`${JSON.stringify(request)}\n${filter}`, (options) => events.ask<T>(request, { ...options, filter }));
  const { progress } = answer;
  if (answer.error) return <Failure error={answer.error} retry={answer.retry} />;
  if (!answer.value) {
    return (
      <div role="status" class="working">
        <p class="quiet">Working …{progress?.step === "fetch" && progress.total > 0 ? ` fetched ${bytesText(progress.done)} of ${bytesText(progress.total)}` : ""}</p>
        <div class="skeleton tall" />
      </div>
    );
  }
  return <div class={answer.isBusy ? "stale" : ""} aria-busy={answer.isBusy}>{children(answer.value)}</div>;
}

/** What an analysis did not look at. */
export function LeftOut({ notes }: { notes: readonly string[] | undefined }) {
  if (!notes || notes.length === 0) return null;
  return <ul class="quiet">{notes.map((note) => <li key={note}>{note}</li>)}</ul>;
}
