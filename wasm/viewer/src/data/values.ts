/** A value of an Arrow table, as it stands in a cell. */
export type Cell = unknown;

/** An instant in microseconds since 1970, of what Arrow gives for a timestamp; it gives milliseconds, with a fraction. */
export function microsOf(value: Cell): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  return BigInt(Math.round(value * 1000));
}

/** A decimal, as Arrow has it: words of a number in two's complement, the lowest first. */
export function decimalText(words: Uint32Array, scale: number): string {
  let number = 0n;
  for (let at = words.length - 1; at >= 0; at--) number = (number << 32n) | BigInt(words[at]!);
  number = BigInt.asIntN(words.length * 32, number);
  const digits = String(number < 0n ? -number : number).padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return number < 0n ? `-${text}` : text;
}

/** A value as plain JSON data: rows of Arrow become objects and lists; big integers stay. */
export function plain(value: Cell): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object") return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint32Array) return decimalText(value, 0);
  if (value instanceof Uint8Array) return [...value.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (Array.isArray(value)) return value.map(plain);
  if (Symbol.iterator in value && "toArray" in value) return [...(value as Iterable<unknown>)].map(plain);
  if ("toJSON" in value && typeof value.toJSON === "function") return plain((value as { toJSON(): unknown }).toJSON());
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

/** A value as a line of text. */
export function text(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "object") return json(plain(value));
  return String(value);
}

/** Plain data as JSON; big integers are written with all their digits. */
export function json(value: unknown, indent?: number): string {
  const big: string[] = [];
  const marked = JSON.stringify(
    value,
    (_key, one: unknown) => {
      if (typeof one !== "bigint") return one;
      big.push(one.toString());
      return `\u0000${big.length - 1}\u0000`;
    },
    indent,
  );
  return big.length === 0 ? marked : marked.replace(/"\\u0000(\d+)\\u0000"/g, (_all, at: string) => big[Number(at)]!);
}
