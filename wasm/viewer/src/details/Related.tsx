import { copy } from "../app/notice.ts";
import { json } from "../data/values.ts";
import { termOf, valueText } from "../search/filter-text.ts";
import { show } from "../state/page.ts";
import { between } from "../state/time-range.ts";
import type { Record_ } from "./record.ts";

const AROUND_MS = 5 * 60_000;

/** From an event to those that belong to it. */
export function Related({ record, openHistory }: { record: Record_; openHistory: () => void }) {
  const field = (name: string) => record.fields.find(({ column }) => column.name === name && column.path === null);
  const ms = Number(record.micros) / 1000;
  const all = { kind: "all" } as const;
  const same = (name: string, label: string) => {
    const found = field(name);
    return found && <button type="button" onClick={() => show({ tab: "search", filter: termOf(found.column, String(found.value)), range: all })}>{label}</button>;
  };
  const [type, id] = [field("entity_type"), field("entity_id")];
  const entity = type && id ? `entity:${valueText(String(type.value))}:${valueText(String(id.value))}` : undefined;
  return (
    <div class="related">
      <button type="button" onClick={() => show({ tab: "search", filter: "", range: between(ms - AROUND_MS, ms + AROUND_MS), order: { column: "ts", descending: true } })}>Events around this</button>
      {same("session", "This session")}
      {same("trace_id", "This trace")}
      {id && <button type="button" onClick={openHistory}>This entity's history</button>}
      {entity && <button type="button" onClick={() => show({ tab: "search", filter: entity, range: all })}>This entity's events</button>}
      {same("template", "Messages like this")}
      <button type="button" onClick={() => void copy(json(record.json, 2), "The event is copied as JSON.")}>Copy as JSON</button>
      <button type="button" onClick={() => void copy(location.href, "The address of this view is copied.")}>Copy link</button>
    </div>
  );
}
