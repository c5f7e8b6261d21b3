/** What is wrong with a filter, and where. */
export interface Problem {
  message: string;
  expected?: string;
  hint?: string;
  /** The characters of the filter's text that it is about. */
  place?: { from: number; to: number };
}

/**
 * Reads the message of an error: what is wrong, then perhaps a line of the text with a caret under the place, then
 * perhaps what was expected.
 */
export function problemOf(error: Error & { hint?: string | undefined }, filter: string): Problem {
  const lines = error.message.split("\n");
  const caret = lines.findIndex((line, at) => at > 0 && /^ *\^$/.test(line));
  const expected = lines.find((line, at) => at > 0 && line.startsWith("expected "));
  const problem: Problem = { message: lines[0] ?? error.message };
  if (expected) problem.expected = expected;
  if (error.hint) problem.hint = error.hint;
  if (caret < 1) {
    if (!expected && lines.length > 1) problem.message = error.message;
    return problem;
  }
  const place = placeIn(lines[caret - 1]!.slice(2), lines[caret]!.length - 3, filter);
  if (place !== undefined) problem.place = { from: place, to: endOfWord(filter, place) };
  return problem;
}

/** The place in the whole text of one in a line that may be cut at both ends. */
function placeIn(line: string, caret: number, filter: string): number | undefined {
  const isCut = line.startsWith("...") && !filter.startsWith("...");
  const shown = isCut ? line.slice(3) : line;
  const end = shown.endsWith("...") ? shown.slice(0, -3) : shown;
  const flat = filter.replace(/[\t\n\r]/g, " ");
  const start = isCut ? flat.indexOf(end) : 0;
  const place = start + caret - (isCut ? 3 : 0);
  return start < 0 || place < 0 || place > filter.length ? undefined : place;
}

function endOfWord(filter: string, from: number): number {
  const length = /^[^\s()]+/.exec(filter.slice(from))?.[0].length ?? 0;
  return Math.min(filter.length, from + Math.max(1, length));
}
