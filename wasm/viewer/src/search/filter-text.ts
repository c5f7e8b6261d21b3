/** What the grammar of filters takes apart, as far as the page adds and removes terms of a filter's text. */

/** Names that mean something else in the grammar than a column of that name. */
const TAKEN = new Set(["type", "user", "text", "trace", "id", "last", "since", "until", "day", "is", "file", "entity", "and", "or", "not"]);

interface Named {
  name: string;
  path: readonly string[] | null;
}

/** A column as the grammar names it: by its path, in quotes where a key needs them. */
export function fieldOf({ name, path }: Named): string {
  if (path === null) return name;
  const isSingle = path.length === 1;
  return path.map((key) => (/^[A-Za-z_][\w-]*$/.test(key) && !(isSingle && TAKEN.has(key.toLowerCase())) ? key : quoted(key))).join(".");
}

export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** A value as the grammar writes it: bare where that means the same. */
export function valueText(value: string): string {
  const isBare = /^[\p{L}\p{N}_][\p{L}\p{N}_.:@/+#-]*$/u.test(value) && !TAKEN.has(value.toLowerCase());
  return isBare ? value : quoted(value);
}

const SEVERITIES: Readonly<Record<string, string>> = { 1: "trace", 5: "debug", 9: "info", 10: "notice", 13: "warning", 17: "error", 21: "critical" };

/** The term that a column has a value; `null` is that it has none. */
export function termOf(column: Named, value: string | null): string {
  const field = fieldOf(column);
  if (value === null) return `-${field}:*`;
  if (column.name === "severity" && column.path === null) return `severity:${SEVERITIES[value] ?? value}`;
  if (column.name === "message" && column.path === null) return `message=${quoted(value)}`;
  return `${field}:${valueText(value)}`;
}

/** The opposite of a term. */
export function negated(term: string): string {
  return term.startsWith("-") ? term.slice(1) : `-${term}`;
}

/** The terms of a filter that all must hold, as they are written; one term if `or` stands between them. */
export function terms(filter: string): string[] {
  const parts: string[] = [];
  let at = 0;
  while (at < filter.length) {
    if (/\s/.test(filter[at]!)) {
      at++;
      continue;
    }
    const end = endOfTerm(filter, at);
    parts.push(filter.slice(at, end));
    at = end;
  }
  const isOr = parts.some((part) => part.toLowerCase() === "or");
  const joined = isOr ? [filter.trim()] : parts.filter((part) => part.toLowerCase() !== "and");
  return joined.filter((part) => part !== "" && part !== "*");
}

/** Where the term that begins at a place ends: at a blank outside of quotes, parentheses and regexes. */
function endOfTerm(filter: string, from: number): number {
  let depth = 0;
  let isRegexPlace = true;
  for (let at = from; at < filter.length; at++) {
    const char = filter[at]!;
    if (char === "\\") at++;
    else if (char === '"' || (char === "/" && isRegexPlace)) at = closing(filter, at, char);
    else if (char === "(") depth++;
    else if (char === ")") depth = Math.max(0, depth - 1);
    else if (/\s/.test(char) && depth === 0) return at;
    isRegexPlace = /[\s(:=,-]/.test(char);
  }
  return filter.length;
}

/** Where what a mark opens is closed; the end of the text if it is not. */
function closing(filter: string, from: number, mark: string): number {
  for (let at = from + 1; at < filter.length; at++) {
    if (filter[at] === "\\") at++;
    else if (filter[at] === mark) return at;
  }
  return filter.length;
}

function isOr(filter: string): boolean {
  const all = terms(filter);
  return all.length === 1 && /\s[oO][rR]\s/.test(all[0]!) && !all[0]!.startsWith("(");
}

/** The filter with a term; the opposite of the term goes. */
export function withTerm(filter: string, term: string): string {
  if (isOr(filter)) return `(${filter.trim()}) ${term}`;
  const kept = terms(filter).filter((one) => one !== negated(term));
  return (kept.includes(term) ? kept : [...kept, term]).join(" ");
}

/** The filter without a term. */
export function withoutTerm(filter: string, term: string): string {
  return terms(filter).filter((one) => one !== term).join(" ");
}

export function hasTerm(filter: string, term: string): boolean {
  return terms(filter).includes(term);
}
