import { json } from "../data/values.ts";
import { type Difference, differences, lineDifferences } from "./diff.ts";
import { parsed } from "./record.ts";

/** What an event changed: its states before and after, field by field. */
export function Changes({ before, after }: { before: unknown; after: unknown }) {
  const [one, other] = [stateOf(before), stateOf(after)];
  const found = differences(one, other);
  if (found.length === 0) return <p class="quiet">Nothing differs.</p>;
  return <div class="changes">{found.map((difference) => <Change key={difference.path} difference={difference} />)}</div>;
}

/** A state as data; some producers write theirs as JSON in a text. */
function stateOf(text: unknown): unknown {
  if (text === null || text === undefined) return undefined;
  const state = parsed(text) ?? text;
  const inner = parsed(state);
  return typeof inner === "object" && inner !== null ? inner : state;
}

export function Change({ difference }: { difference: Difference }) {
  const { path, kind, before, after } = difference;
  const isText = typeof before === "string" && typeof after === "string" && (before.includes("\n") || after.includes("\n"));
  return (
    <div class={`change ${kind}`}>
      <div class="path mono">{path === "" ? "the whole state" : path} <span class="quiet">{kind}</span></div>
      {isText ? <Lines before={before} after={after} /> : (
        <>
          {before !== undefined && <del class="mono"><span class="hidden">before: </span>{shown(before)}</del>}
          {after !== undefined && <ins class="mono"><span class="hidden">after: </span>{shown(after)}</ins>}
        </>
      )}
    </div>
  );
}

function Lines({ before, after }: { before: string; after: string }) {
  return (
    <pre class="lines" tabIndex={0} aria-label="Lines that differ">
      {lineDifferences(before, after).map(({ kind, text }, at) => {
        const sign = { same: " ", removed: "−", added: "+" }[kind];
        return <div key={at} class={kind}>{`${sign} ${text}`}</div>;
      })}
    </pre>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : json(value, 1);
}
