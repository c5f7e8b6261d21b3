import { useState } from "preact/hooks";
import { Menu } from "../app/Menu.tsx";
import { download } from "../app/download.ts";
import type { Events } from "../data/events.ts";
import { conditionOf, orderSql, selected } from "../data/statements.ts";
import { selection, show, view } from "../state/page.ts";
import { isRelative } from "../state/preferences.ts";
import { COLUMNS } from "../state/view.ts";

/** What can be done with the table: columns, times, files. */
export function Toolbar({ events }: { events: Events }) {
  return (
    <div class="toolbar">
      <label class="inline"><input type="checkbox" checked={isRelative.value} onChange={() => (isRelative.value = !isRelative.value)} /> Relative times</label>
      <Columns events={events} />
      <Download events={events} />
    </div>
  );
}

function Columns({ events }: { events: Events }) {
  const [typed, setTyped] = useState("");
  const { columns } = view.value;
  const found = events.columns.filter(({ name }) => name.toLowerCase().includes(typed.toLowerCase()));
  const ordered = [...found.filter(({ name }) => columns.includes(name)), ...found.filter(({ name }) => !columns.includes(name))];
  const toggle = (name: string) => {
    const next = columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name];
    if (next.length > 0) show({ columns: next }, { replace: true });
  };
  return (
    <Menu label="Columns" class="right">
      {() => (
        <div class="columnlist">
          <input type="search" placeholder="Column" aria-label="Find a column" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
          <ul>
            {ordered.slice(0, 300).map(({ name, type }) => (
              <li key={name}>
                <label class="choice"><input type="checkbox" checked={columns.includes(name)} onChange={() => toggle(name)} /> <span class="mono">{name}</span> <span class="note">{type}</span></label>
              </li>
            ))}
          </ul>
          <button type="button" onClick={() => show({ columns: [...COLUMNS] }, { replace: true })}>Reset</button>
        </div>
      )}
    </Menu>
  );
}

type Format = "csv" | "jsonl" | "json" | "parquet";

/** Writes the events that match as a file. */
function Download({ events }: { events: Events }) {
  const [state, setState] = useState<{ format: Format } | { error: string }>();
  const [isAll, setAll] = useState(false);
  const write = async (format: Format) => {
    setState({ format });
    try {
      const { columns, order } = view.value;
      const condition = await conditionOf(events, selection.value, {});
      const list = isAll ? "* EXCLUDE (recorded_at, shape, day, template)" : selected(columns);
      const bytes = await events.store.export(format, { sql: `SELECT ${list} FROM events WHERE ${condition} ORDER BY ${orderSql(order)}` });
      download(bytes, `${events.title}.${format}`);
      setState(undefined);
    } catch (error) {
      setState({ error: (error as Error).message });
    }
  };
  return (
    <Menu label="Download" class="right">
      {() => (
        <div class="downloads">
          <p class="quiet">The events that match, in this order.</p>
          <label class="inline"><input type="checkbox" checked={isAll} onChange={() => setAll(!isAll)} /> with all columns</label>
          <div class="row">
            {(["csv", "json", "jsonl", "parquet"] as const).map((format) => (
              <button type="button" key={format} disabled={state !== undefined && "format" in state} onClick={() => void write(format)}>{format.toUpperCase()}</button>
            ))}
          </div>
          <p role="status" class={state && "error" in state ? "fault" : "quiet"}>{state && ("error" in state ? state.error : "Writing …")}</p>
        </div>
      )}
    </Menu>
  );
}
