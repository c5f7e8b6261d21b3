import { Icon } from "../app/Icon.tsx";
import { copy } from "../app/notice.ts";
import type { Column } from "../data/events.ts";
import { text } from "../data/values.ts";
import { fieldOf, negated, termOf, withTerm } from "../search/filter-text.ts";
import { show, view } from "../state/page.ts";
import { between } from "../state/time-range.ts";
import { isTime } from "../table/cells.ts";
import { microsOf } from "../data/values.ts";
import { type Field, type Record_, isoOf } from "./record.ts";

/** Values longer than this are folded. */
const FOLDED = 600;

/** All fields that have a value, each with what can be done with it. */
export function Fields({ record }: { record: Record_ }) {
  return (
    <table class="fields">
      <caption class="hidden">Fields of the event</caption>
      <tbody>{record.fields.map((field) => <Row key={field.column.name} field={field} />)}</tbody>
    </table>
  );
}

function Row({ field: { column, value } }: { field: Field }) {
  const shown = isTime(column) ? (isoOf(microsOf(value)) ?? "") : text(value);
  const name = column.path?.join(".") ?? column.name;
  const filter = (term: string) => show({ filter: withTerm(view.value.filter, term) });
  const term = filterTerm(column, value, shown);
  const isShown = view.value.columns.includes(column.name);
  const toggle = () => show({ columns: isShown ? view.value.columns.filter((one) => one !== column.name) : [...view.value.columns, column.name] }, { replace: true });
  return (
    <tr>
      <th scope="row" title={`${column.name} (${column.type})`}>{name}</th>
      <td class="mono">{shown.length > FOLDED ? <Folded text={shown} /> : shown}</td>
      <td class="acts">
        {isTime(column) ? (
          <button type="button" class="icon" title="From this time on" aria-label={`Only from ${name} on`} onClick={() => show({ range: between(Number(microsOf(value)) / 1000, 8.64e15) })}><Icon name="from" /></button>
        ) : (
          <>
            <button type="button" class="icon" title="Filter for" aria-label={`Filter for ${name}`} onClick={() => filter(term)}><Icon name="plus" /></button>
            <button type="button" class="icon" title="Filter out" aria-label={`Filter out ${name}`} onClick={() => filter(negated(term))}><Icon name="minus" /></button>
          </>
        )}
        <button type="button" class="icon" title={isShown ? "Hide the column" : "Show as a column"} aria-label={`${isShown ? "Hide" : "Show"} the column ${name}`} aria-pressed={isShown} onClick={toggle}><Icon name="column" /></button>
        <button type="button" class="icon" title="Copy the value" aria-label={`Copy ${name}`} onClick={() => void copy(shown, `${name} is copied.`)}><Icon name="copy" /></button>
      </td>
    </tr>
  );
}

/** The term of a value; of a text that is too long for a filter, that there is one. */
function filterTerm(column: Column, value: unknown, shown: string): string {
  if (typeof value === "object" || shown.length > 2000) return `${fieldOf(column)}:*`;
  return termOf(column, shown);
}

function Folded({ text: long }: { text: string }) {
  return (
    <details>
      <summary>{long.slice(0, FOLDED)}…</summary>
      {long.slice(FOLDED)}
    </details>
  );
}
