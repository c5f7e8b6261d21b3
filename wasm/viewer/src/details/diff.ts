/** A difference of two states: where, and the values there before and after. */
export interface Difference {
  path: string;
  kind: "added" | "removed" | "changed";
  before?: unknown;
  after?: unknown;
}

/** A line of a text, and whether it is of the state before, of the one after, or of both. */
export interface Line {
  kind: "same" | "removed" | "added";
  text: string;
}

/** So many lines of each text are compared one by one. */
const LINES_MAX = 1500;

/** What differs between two states, by path. */
export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, kind: "added", after }];
  if (after === undefined) return [{ path, kind: "removed", before }];
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(own(before, key), own(after, key), path === "" ? key : `${path}.${key}`));
  }
  return Object.is(before, after) ? [] : [{ path, kind: "changed", before, after }];
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The lines of two texts; those that both have in order are the same. */
export function lineDifferences(before: string, after: string): Line[] {
  const [one, other] = [before.split("\n"), after.split("\n")];
  if (one.length > LINES_MAX || other.length > LINES_MAX) {
    return [...one.map((text): Line => ({ kind: "removed", text })), ...other.map((text): Line => ({ kind: "added", text }))];
  }
  const lengths = commonLengths(one, other);
  const width = other.length + 1;
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < one.length || column < other.length) {
    if (row < one.length && column < other.length && one[row] === other[column]) {
      lines.push({ kind: "same", text: one[row]! });
      row++;
      column++;
    } else if (column >= other.length || (row < one.length && lengths[(row + 1) * width + column]! >= lengths[row * width + column + 1]!)) {
      lines.push({ kind: "removed", text: one[row++]! });
    } else lines.push({ kind: "added", text: other[column++]! });
  }
  return lines;
}

/** For each pair of places, how many lines what follows them has in common. */
function commonLengths(one: readonly string[], other: readonly string[]): Uint16Array {
  const width = other.length + 1;
  const lengths = new Uint16Array((one.length + 1) * width);
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      lengths[row * width + column] =
        one[row] === other[column]
          ? lengths[(row + 1) * width + column + 1]! + 1
          : Math.max(lengths[(row + 1) * width + column]!, lengths[row * width + column + 1]!);
    }
  }
  return lengths;
}
