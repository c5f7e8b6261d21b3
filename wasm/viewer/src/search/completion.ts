import { fieldOf, valueText } from "./filter-text.ts";

/** What can be completed at a place of a filter. */
export type Wanted =
  | { kind: "field"; typed: string; from: number; to: number; isNegated: boolean }
  | { kind: "value"; field: string; typed: string; from: number; to: number };

/** A text that may stand there. */
export interface Offer {
  /** What is put in place of what was typed. */
  text: string;
  /** What it is: the type of a field, how many events have the value. */
  note: string;
  /** Whether more is to be typed right after it. */
  goesOn: boolean;
}

interface Named {
  name: string;
  path: readonly string[] | null;
  type: string;
}

const WORDS: readonly Offer[] = [
  { text: "is:error", note: "errors and failures", goesOn: false },
  { text: "severity>=error", note: "error or worse", goesOn: false },
  { text: "severity>=warning", note: "warning or worse", goesOn: false },
  { text: "level:", note: "a severity by name", goesOn: true },
  { text: "day:", note: "a day in UTC", goesOn: true },
  { text: "since:", note: "from a time on", goesOn: true },
  { text: "until:", note: "before a time", goesOn: true },
  { text: "last:", note: "the last 24h, 7d, …", goesOn: true },
  { text: "file:", note: "files below a path", goesOn: true },
  { text: "entity:", note: "entity:type:id", goesOn: true },
];

const LEVELS = ["trace", "debug", "info", "notice", "warning", "error", "critical"];
const FIXED_VALUES: Readonly<Record<string, readonly string[]>> = { severity: LEVELS, level: LEVELS, is: ["error"] };

/** Columns that only the store itself is about. */
const INNER = new Set(["seq", "shape", "rest", "recorded_at", "day"]);

/** What stands before the caret, as far as it can be completed. */
export function wantedAt(filter: string, caret: number): Wanted | undefined {
  const before = filter.slice(0, caret);
  if ((before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1 && !/[:=<>,]"[^"]*$/.test(before)) return undefined;
  const value = /(?:^|[\s(-])((?:"(?:\\.|[^"\\])*"|[^\s()":=<>,!-][^\s()":=<>,]*)(?:\."(?:\\.|[^"\\])*")*)(?::|=|<=?|>=?|!=)(?:[^\s(),]*,)*("[^"]*|[^\s(),"]*)$/.exec(before);
  if (value) return { kind: "value", field: value[1]!, typed: value[2]!, from: caret - value[2]!.length, to: caret };
  const field = /(?:^|[\s(])(-?)([^\s()":=<>,]*)$/.exec(before);
  if (!field) return undefined;
  return { kind: "field", typed: field[2]!, from: caret - field[2]!.length, to: caret, isNegated: field[1] === "-" };
}

/** Fields and words that begin with what was typed, or have it inside. */
export function fieldOffers(typed: string, columns: readonly Named[]): Offer[] {
  const wanted = typed.toLowerCase();
  const fields = columns
    .filter(({ name }) => !INNER.has(name))
    .map((column) => ({ text: `${fieldOf(column)}:`, note: column.type, goesOn: true }));
  const ranked = [...fields, ...WORDS].map((offer) => ({ offer, rank: rankOf(offer.text.toLowerCase(), wanted) }));
  const found = ranked.filter(({ rank }) => rank >= 0).sort((one, other) => one.rank - other.rank);
  return found.slice(0, 50).map(({ offer }) => offer);
}

function rankOf(text: string, wanted: string): number {
  if (wanted === "") return 0;
  if (text.startsWith(wanted)) return 0;
  if (text.split(/[._]/).some((part) => part.startsWith(wanted))) return 1;
  return text.includes(wanted) ? 2 : -1;
}

/** Values of a field, as they can stand after it. */
export function valueOffers(typed: string, values: readonly { value: string; count?: number }[], note: (count: number) => string): Offer[] {
  const wanted = typed.replace(/^"/, "").toLowerCase();
  const ranked = values.map(({ value, count }) => ({
    offer: { text: valueText(value), note: count === undefined ? "" : note(count), goesOn: false },
    rank: rankOf(value.toLowerCase(), wanted),
  }));
  const found = ranked.filter(({ rank, offer }) => rank >= 0 && offer.text !== typed);
  return found.sort((one, other) => one.rank - other.rank).slice(0, 50).map(({ offer }) => offer);
}

/** Values that a field has by the grammar. */
export function fixedValues(field: string): readonly string[] | undefined {
  return FIXED_VALUES[field.toLowerCase()];
}

/** The text and the caret after an offer is taken. */
export function taken(filter: string, wanted: Wanted, offer: Offer): { filter: string; caret: number } {
  const text = offer.goesOn ? offer.text : `${offer.text} `;
  const after = filter.slice(wanted.to).replace(/^[^\s(),]*/, "").replace(/^ /, "");
  return { filter: filter.slice(0, wanted.from) + text + after, caret: wanted.from + text.length };
}
