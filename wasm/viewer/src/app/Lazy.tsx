import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asError } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { Failure } from "./Failure.tsx";

type Part = FunctionComponent<{ events: Events }>;

/** A part of the page whose code is fetched when it is first shown. */
export function Lazy({ load, events }: { load: () => Promise<Part>; events: Events }) {
  const [state, setState] = useState<{ Part: Part } | { error: Error }>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let isGone = false;
    load().then(
      (Part) => !isGone && setState({ Part }),
      (error: unknown) => !isGone && setState({ error: asError(error) }),
    );
    return () => void (isGone = true);
  }, [tries]);
  if (!state) return <div class="skeleton tall" />;
  if ("error" in state) return <Failure error={state.error} retry={() => (setState(undefined), setTries(tries + 1))} />;
  return <state.Part events={events} />;
}
