import { termOf } from "../search/filter-text.ts";
import { openFilter } from "../patterns/shown.ts";
import { countText, shareText } from "../text/numbers.ts";

interface CountTableProps {
  title: string;
  counts: Readonly<Record<string, number>>;
  total: number;
  /** The fixed column whose values are counted, where they lead to its events. */
  column?: string;
  limit?: number;
}

/** Values with how often they occur. */
export function CountTable({ title, counts, total, column, limit = 12 }: CountTableProps) {
  const entries = Object.entries(counts).sort(([, one], [, other]) => other - one);
  if (entries.length === 0) return null;
  return (
    <table class="list">
      <caption>{title}</caption>
      <thead class="hidden"><tr><th scope="col">Value</th><th scope="col">Events</th><th scope="col">Share</th></tr></thead>
      <tbody>
        {entries.slice(0, limit).map(([value, count]) => (
          <tr key={value}>
            <td>{column ? <button type="button" class="link" onClick={() => openFilter(termOf({ name: column, path: null }, value))}>{value}</button> : value}</td>
            <td class="n">{countText(count)}</td>
            <td class="n quiet">{shareText(count, total)}</td>
          </tr>
        ))}
        {entries.length > limit && <tr><td colSpan={3} class="quiet">and {countText(entries.length - limit)} more</td></tr>}
      </tbody>
    </table>
  );
}
