import type { About } from "../protocol.js";

type Columns = About["columns"];

/** The tables that a query can read. */
const TABLES = ["events", "templates"];
/** How many names are suggested. */
const MOST = 3;

/** What a query perhaps meant, if an error of DuckDB's is about a name that is not there. */
export function hintOf(message: string, columns: Columns): string | undefined {
  const column = /Referenced column "(.+?)" not found|does not have a column named "(.+?)"|Column with name (.+?) does not exist/.exec(message);
  if (column) return columnHint(column[1] ?? column[2] ?? column[3]!, columns);
  const table = /Table with name (.+?) does not exist/.exec(message)?.[1];
  if (table) return meant(close(table, TABLES)) ?? `the tables are ${TABLES.map((name) => `\`${name}\``).join(", ")}`;
  const parent = /Referenced table "(.+?)" not found/.exec(message)?.[1];
  return parent && inside(parent, columns);
}

function columnHint(name: string, columns: Columns): string {
  const field = columns.find(({ path }) => path?.join(".") === name);
  if (field && field.name !== name) return `the field \`${name}\` is the column \`${field.name}\``;
  const near = close(name, columns.map((column) => column.name));
  return meant(near) ?? inside(name, columns) ?? "`store.about.columns` lists the columns; text stands in single quotes";
}

/** The columns of the fields inside a field. */
function inside(name: string, columns: Columns): string | undefined {
  const fields = columns.filter(({ path }) => path && path.length > 1 && path[0] === name).slice(0, 5);
  if (fields.length === 0) return undefined;
  return `fields inside \`${name}\` are columns: ${fields.map((field) => `\`${field.name}\``).join(", ")}`;
}

function meant(names: string[]): string | undefined {
  return names.length === 0 ? undefined : `did you mean ${names.map((name) => `\`${name}\``).join(" or ")}?`;
}

/** The names that are a slip or two away, the closest first. */
function close(name: string, names: string[]): string[] {
  const most = Math.max(1, Math.floor(name.length / 3));
  const near = names.map((one) => ({ one, slips: slips(name.toLowerCase(), one.toLowerCase()) }));
  const found = near.filter(({ slips }) => slips <= most).sort((one, other) => one.slips - other.slips);
  return found.slice(0, MOST).map(({ one }) => one);
}

/** How many letters have to be put in, left out or changed to make one of the other. */
function slips(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (let at = 0; at < other.length; at++) {
      next.push(Math.min(next[at]! + 1, row[at + 1]! + 1, row[at]! + (letter === other[at] ? 0 : 1)));
    }
    row = next;
  }
  return row[other.length]!;
}
