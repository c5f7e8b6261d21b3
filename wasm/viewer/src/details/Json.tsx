import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";

/** So many values are shown at once. */
const SHOWN = 1500;

/** JSON, indented, with its parts told apart by colour. */
export function Json({ value }: { value: unknown }) {
  const [limit, setLimit] = useState(SHOWN);
  const { parts, isCut } = useMemo(() => {
    const left = { count: limit };
    const parts = node(value, 0, left);
    return { parts, isCut: left.count <= 0 };
  }, [value, limit]);
  return (
    <>
      <pre class="json" tabIndex={0} aria-label="The event as JSON">{parts}</pre>
      {isCut && <button type="button" onClick={() => setLimit(limit * 4)}>Show more</button>}
    </>
  );
}

function node(value: unknown, depth: number, left: { count: number }): ComponentChildren {
  if (left.count-- <= 0) return "…";
  if (value === null || value === undefined) return <span class="json-null">null</span>;
  if (typeof value === "string") return <span class="json-text">{JSON.stringify(value)}</span>;
  if (typeof value === "number" || typeof value === "bigint") return <span class="json-number">{String(value)}</span>;
  if (typeof value === "boolean") return <span class="json-word">{String(value)}</span>;
  const isList = Array.isArray(value);
  const entries = Object.entries(value as object).slice(0, Math.max(0, left.count) + 1);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return open + close;
  const indent = "\n" + "  ".repeat(depth + 1);
  return [
    open,
    ...entries.map(([key, one], at) => [
      indent,
      !isList && <><span class="json-key">{JSON.stringify(key)}</span>: </>,
      node(one, depth + 1, left),
      at < entries.length - 1 && ",",
    ]),
    "\n" + "  ".repeat(depth) + close,
  ];
}
