import { useEffect, useState } from "preact/hooks";
import { asError } from "../data/answer.ts";
import type { Events, Tail } from "../data/events.ts";
import type { Table } from "../data/table.ts";
import { selection } from "../state/page.ts";
import { countText } from "../text/numbers.ts";
import { arrived, cameIn } from "./arrivals.ts";

/** Follows the events that match as they come; shown where a server has them. */
export function LiveTail({ events, tail }: { events: Events; tail: Tail }) {
  const [isOn, setOn] = useState(false);
  const [error, setError] = useState<Error>();
  const filter = selection.value;
  useEffect(() => {
    if (!isOn) return;
    const stop = new AbortController();
    setError(undefined);
    const heard = (rows: Table) => {
      events.heard(rows);
      cameIn(rows);
    };
    tail.follow(filter, heard, stop.signal).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      setError(asError(error));
      setOn(false);
    });
    return () => stop.abort();
  }, [isOn, filter, events, tail]);
  return (
    <span class="live">
      <button type="button" aria-pressed={isOn} onClick={() => setOn(!isOn)}>{isOn ? "■ Stop" : "▶ Live"}</button>
      {arrived.value.count > 0 && <span class="quiet" role="status">{countText(arrived.value.count)} new</span>}
      {error && <span class="fault" role="alert">{error.message}</span>}
    </span>
  );
}
