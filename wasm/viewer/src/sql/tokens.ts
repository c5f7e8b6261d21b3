/** A part of a statement that has a colour. */
export interface Token {
  from: number;
  to: number;
  kind: "keyword" | "text" | "number" | "comment" | "type";
}

const KEYWORDS = new Set(
  `all and any as asc between by case cast create cross desc describe distinct else end except exclude exists explain false filter
  following for from full group having ilike in inner intersect interval is join lateral left like limit natural not null nulls
  offset on or order outer over partition pivot preceding qualify range recursive right row rows sample select semi set similar
  summarize table then true unbounded union unnest unpivot using values when where window with within`.split(/\s+/),
);
const TYPES = new Set("bigint boolean date decimal double float hugeint integer int json list map smallint struct text time timestamp timestamptz tinyint ubigint uuid varchar".split(" "));

const PART = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b|[\p{L}_][\p{L}\p{N}_]*/giu;

/** The parts of SQL text that have a colour, in order. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(PART)) {
    const kind = kindOf(match[0]);
    if (kind) found.push({ from: match.index, to: match.index + match[0].length, kind });
  }
  return found;
}

function kindOf(part: string): Token["kind"] | undefined {
  if (part.startsWith("--") || part.startsWith("/*")) return "comment";
  if (part.startsWith("'")) return "text";
  if (part.startsWith('"')) return undefined;
  if (/^\d/.test(part)) return "number";
  const word = part.toLowerCase();
  return KEYWORDS.has(word) ? "keyword" : TYPES.has(word) ? "type" : undefined;
}

/** The words that the editor offers. */
export function keywords(): string[] {
  return [...KEYWORDS].map((word) => word.toUpperCase());
}
