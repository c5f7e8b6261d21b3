import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export const isHelpOpen = signal(false);

const KEYS: readonly [string, string][] = [
  ["/", "to the search box"],
  ["j  k  ↑  ↓", "next and previous event"],
  ["PgUp  PgDn  Home  End", "through the table"],
  ["Enter", "open the event"],
  ["Esc", "close what is open"],
  ["1 … 5", "the tabs"],
  ["t", "light, dark, or as the system"],
  ["[  ]", "back and forward"],
  ["Alt ← →", "on a column's name: narrower, wider; with Shift: move it"],
  ["← →  Shift  Enter  −", "in the histogram: move, mark, zoom, show all"],
  ["Ctrl Enter", "in the SQL editor: run"],
  ["?", "this help"],
];

const GRAMMAR: readonly [string, string][] = [
  ["kind:login,logout", "any of these values"],
  ["status_code>=500", "also > < <= = !="],
  ["metadata.artist:*", "has a value"],
  ["actor:ann*", "wildcards: * is any text, ? a character"],
  ["path:/^\\/api/", "a regex"],
  ["timeout \"rate limit\"", "texts in the message"],
  ["-status:success", "not"],
  ["(a or b) kind:x", "or, parentheses"],
  ["severity>=error", "trace debug info notice warning error critical"],
  ["is:error", "errors and failures"],
  ["since:2026-02-03 until:2026-02-04T12:00", "times"],
  ["entity:order:42  file:api/", "entities and files"],
];

/** The keys and the grammar of filters. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title" onClose={() => (isHelpOpen.value = false)} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div class="help-body">
        <h2 id="help-title">Keys</h2>
        <dl>{KEYS.map(([key, text]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{text}</dd></div>)}</dl>
        <h2>Filters</h2>
        <dl>{GRAMMAR.map(([term, text]) => <div key={term}><dt class="mono">{term}</dt><dd>{text}</dd></div>)}</dl>
        <p class="quiet">Drop a log file anywhere on the page to look at it. Everything is computed in this page; nothing is sent anywhere.</p>
        <button type="button" class="primary" onClick={() => dialog.current?.close()}>Close</button>
      </div>
    </dialog>
  );
}
