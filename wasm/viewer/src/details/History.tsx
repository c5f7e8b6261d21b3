import { Failure } from "../app/Failure.tsx";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { show } from "../state/page.ts";
import { zone } from "../state/preferences.ts";
import { secondText } from "../text/times.ts";
import { Change } from "./Changes.tsx";
import type { Difference } from "./diff.ts";

interface Report {
  changes: { seq: number; ts: string; kind?: string; actor?: string; message?: string; diff: ReportDifference[] }[];
  more: boolean;
}

type ReportDifference = { path: string; change: Difference["kind"]; before?: unknown; after?: unknown };

/** What happened to an entity, the newest first. */
export function History({ events, type, id }: { events: Events; type: string | undefined; id: string }) {
  const answer = useAnswer(`${type} ${id}`, (options) =>
    events.ask<Report>({ analysis: "history", entity_type: type ?? "", entity_id: id, limit: 50 }, options));
  if (answer.error) return <Failure error={answer.error} retry={answer.retry} isSmall />;
  if (!answer.value) return <div class="skeleton tall" />;
  const { changes, more } = answer.value;
  return (
    <ol class="history">
      {changes.map((event) => (
        <li key={event.seq}>
          <button type="button" class="link" onClick={() => show({ event: String(event.seq) })}>{secondText(Date.parse(event.ts), zone.value)}</button>{" "}
          <b>{event.kind}</b> {event.actor && <span class="quiet">by {event.actor}</span>}
          {event.message && <div>{event.message}</div>}
          {event.diff.map((one) => <Change key={one.path} difference={{ ...one, kind: one.change }} />)}
        </li>
      ))}
      {more && <li class="quiet">There are more, older ones.</li>}
      {changes.length === 0 && <li class="quiet">Nothing else happened to it.</li>}
    </ol>
  );
}
