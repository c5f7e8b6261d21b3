import { useEffect, useState } from "preact/hooks";
import { Failure } from "../app/Failure.tsx";
import { Icon } from "../app/Icon.tsx";
import { Menu } from "../app/Menu.tsx";
import { useAnswer } from "../data/answer.ts";
import type { Column, Events } from "../data/events.ts";
import { afterRows } from "../data/order.ts";
import { bandOf, severityName } from "../data/severity.ts";
import { fieldOf, hasTerm, negated, termOf, withTerm, withoutTerm } from "../search/filter-text.ts";
import { selection, show, view } from "../state/page.ts";
import { arrived } from "../tail/arrivals.ts";
import { countText, shareText, shortCount } from "../text/numbers.ts";

interface FacetReport {
  column: string;
  distinct: number;
  missing: number;
  values: { value: string; count: number }[];
}

const SHOWN = 8;
const MORE = 60;

/** The most frequent values of columns, each to include or to leave out. */
export function Facets({ events }: { events: Events }) {
  const names = view.value.facets.filter((name) => events.column(name));
  const [limit, setLimit] = useState(SHOWN);
  const key = names.length > 0 ? `${selection.value}\n${names.join("\n")}\n${limit}\n${arrived.value.count}` : undefined;
  const answer = useAnswer(key, async (options) => {
    await afterRows(selection.value, options.signal);
    const by = names.map((name) => fieldOf(events.column(name)!));
    const report = await events.ask<{ facets: FacetReport[] }>({ analysis: "facets", by, limit }, { ...options, filter: selection.value });
    return report.facets.map((facet, at) => ({ ...facet, column: names[at]! }));
  });
  const isShown = answer.value !== undefined && !answer.isBusy;
  useEffect(() => {
    if (isShown) void events.prepare();
  }, [isShown, events]);
  const remove = (name: string) => show({ facets: view.value.facets.filter((one) => one !== name) });
  return (
    <aside class="facets" aria-label="Values of columns" aria-busy={answer.isBusy}>
      {answer.error && <Failure error={answer.error} retry={answer.retry} isSmall />}
      <div class={answer.isBusy ? "stale" : ""}>
        {answer.value?.map((facet) => {
          const column = events.column(facet.column);
          return column && <FacetList key={facet.column} facet={facet} column={column} remove={() => remove(facet.column)} more={() => setLimit(MORE)} />;
        })}
        {!answer.value && answer.isBusy && names.map((name) => <div class="facet" key={name}><h2>{name}</h2><div class="skeleton" /></div>)}
      </div>
      <AddFacet events={events} />
    </aside>
  );
}

function FacetList({ facet, column, remove, more }: { facet: FacetReport; column: Column; remove: () => void; more: () => void }) {
  const { values, distinct, missing } = facet;
  const most = Math.max(1, ...values.map(({ count }) => count));
  const all = missing + values.reduce((sum, { count }) => sum + count, 0);
  const isCut = distinct > values.length;
  return (
    <section class="facet">
      <h2>
        <span title={column.path ? `${column.path.join(".")} (${column.type})` : column.type}>{column.name}</span>
        <span class="quiet">{shortCount(distinct)}</span>
        <button type="button" class="icon" aria-label={`Do not count ${column.name}`} onClick={remove}><Icon name="close" /></button>
      </h2>
      {values.length === 0 && <p class="quiet">no values</p>}
      <ul>
        {values.map(({ value, count }) => (
          <Value key={value} column={column} value={value} count={count} width={count / most} share={isCut ? undefined : shareText(count, all)} />
        ))}
        {missing > 0 && values.length > 0 && <Value column={column} value={null} count={missing} width={0} share={undefined} />}
      </ul>
      {isCut && values.length < MORE && <button type="button" class="link" onClick={more}>more of {countText(distinct)}</button>}
    </section>
  );
}

function Value({ column, value, count, width, share }: { column: Column; value: string | null; count: number; width: number; share: string | undefined }) {
  const term = termOf(column, value);
  const { filter } = view.value;
  const isChosen = hasTerm(filter, term);
  const isSeverity = column.name === "severity" && column.path === null;
  const name = value === null ? "no value" : isSeverity ? severityName(Number(value)) : value;
  const include = () => show({ filter: isChosen ? withoutTerm(filter, term) : withTerm(filter, term) });
  const exclude = () => show({ filter: withTerm(filter, negated(term)) });
  return (
    <li class={isChosen ? "chosen" : ""}>
      <button type="button" class={value === null ? "value quiet" : "value"} aria-pressed={isChosen} title={`${name}: ${countText(count)}${share ? ` (${share})` : ""}`} onClick={include}>
        <span class="bar" style={{ transform: `scaleX(${width.toFixed(4)})` }} />
        {isSeverity && value !== null && <i class={`dot band-${bandOf(Number(value))}`} />}
        <span class="name">{name === "" ? "(empty)" : name}</span>
        <span class="count">{shortCount(count)}</span>
      </button>
      <button type="button" class="icon" aria-label={`Leave out ${column.name} ${name}`} title="Leave out" onClick={exclude}><Icon name="minus" /></button>
    </li>
  );
}

function AddFacet({ events }: { events: Events }) {
  const [typed, setTyped] = useState("");
  const free = events.columns.filter(({ name }) => !view.value.facets.includes(name) && name.toLowerCase().includes(typed.toLowerCase()));
  return (
    <Menu label="+ Count a column" class="addfacet">
      {(close) => (
        <div class="columnlist">
          <input type="search" placeholder="Column" aria-label="Find a column" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
          <ul>
            {free.slice(0, 200).map(({ name, type }) => (
              <li key={name}>
                <button type="button" class="choice" onClick={() => (show({ facets: [...view.value.facets, name] }), close())}>
                  <span class="mono">{name}</span> <span class="note">{type}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Menu>
  );
}
