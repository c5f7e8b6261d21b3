import { useState } from "preact/hooks";
import { Menu } from "../app/Menu.tsx";
import { asError } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { bytesText, countText } from "../text/numbers.ts";

type State =
  | { is: "unknown" }
  | { is: "busy"; done: number; total: number; stop: AbortController }
  | { is: "whole"; files: number }
  | { is: "damaged"; files: number; damaged: string[] }
  | { is: "failed"; error: Error };

/** Compares all files of the bundle with its manifest when asked to, and says how it went. */
export function Badge({ events }: { events: Events }) {
  const [state, setState] = useState<State>({ is: "unknown" });
  if (events.origin === "file") return <span class="badge" title="This file was read in this page; nothing was sent anywhere.">local file</span>;
  const verify = async () => {
    const stop = new AbortController();
    setState({ is: "busy", done: 0, total: events.store.about.files.length, stop });
    try {
      const onProgress = ({ done, total }: { done: number; total: number }) => setState({ is: "busy", done, total, stop });
      const { files, damaged } = await events.store.verify({ signal: stop.signal, onProgress });
      setState(damaged.length > 0 ? { is: "damaged", files, damaged } : { is: "whole", files });
    } catch (error) {
      setState(stop.signal.aborted ? { is: "unknown" } : { is: "failed", error: asError(error) });
    }
  };
  return <Menu label={labelOf(state)} name={`Verification: ${labelOf(state)}`} class={`badge-menu right ${state.is}`}>{() => <Panel events={events} state={state} verify={() => void verify()} />}</Menu>;
}

function labelOf(state: State): string {
  switch (state.is) {
    case "unknown":
      return "Verify";
    case "busy":
      return `Verifying ${state.done} of ${state.total}`;
    case "whole":
      return "✓ Verified";
    case "damaged":
      return `✗ ${state.damaged.length} damaged`;
    case "failed":
      return "✗ Not verified";
  }
}

function Panel({ events, state, verify }: { events: Events; state: State; verify: () => void }) {
  const { files, bytes, source, created } = events.store.about;
  return (
    <div class="verify">
      <p>The manifest has a SHA-256 of each of the {countText(files.length)} files{bytes === undefined ? "" : ` (${bytesText(bytes)})`}. Verifying fetches all of them and compares.</p>
      {created && <p class="quiet">The bundle was made at {created}{source ? `, of version ${source.version} of its store` : ""}.</p>}
      {source && <p class="quiet">Head of the chain: <code class="hash">{source.head}</code></p>}
      <div role="status">
        {state.is === "busy" && <progress max={state.total} value={state.done} aria-label="Files verified" />}
        {state.is === "whole" && <p class="good">All {countText(state.files)} files are as the manifest says.</p>}
        {state.is === "damaged" && <><p class="fault">{state.damaged.length} of {state.files} files are not as the manifest says:</p><ul>{state.damaged.slice(0, 20).map((path) => <li key={path} class="mono">{path}</li>)}</ul></>}
        {state.is === "failed" && <p class="fault">{state.error.message}</p>}
      </div>
      {state.is === "busy" ? <button type="button" onClick={() => state.stop.abort()}>Stop</button> : <button type="button" class="primary" onClick={verify}>Verify all files</button>}
    </div>
  );
}
