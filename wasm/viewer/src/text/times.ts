import type { Zone } from "../state/preferences.ts";

const pad = (number: number, digits = 2) => String(number).padStart(digits, "0");

/** The parts of an instant in a zone. */
function parts(ms: number, zone: Zone): { day: string; time: string; fraction: string } {
  const shifted = zone === "utc" ? new Date(ms) : new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  if (Number.isNaN(shifted.getTime())) return { day: "?", time: "", fraction: "" };
  return {
    day: `${shifted.getUTCFullYear()}-${pad(shifted.getUTCMonth() + 1)}-${pad(shifted.getUTCDate())}`,
    time: `${pad(shifted.getUTCHours())}:${pad(shifted.getUTCMinutes())}:${pad(shifted.getUTCSeconds())}`,
    fraction: pad(shifted.getUTCMilliseconds(), 3),
  };
}

/** An instant for a table: `2026-02-03 10:30:00.123`. */
export function timeText(ms: number, zone: Zone): string {
  const { day, time, fraction } = parts(ms, zone);
  return `${day} ${time}.${fraction}`;
}

/** An instant with all that is known of it: `2026-02-03 10:30:00.123456 UTC`. */
export function exactTime(micros: bigint, zone: Zone): string {
  const ms = Number(micros / 1000n);
  const { day, time } = parts(ms, zone);
  const fraction = String(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, "0");
  return `${day} ${time}.${fraction} ${zone === "utc" ? "UTC" : offsetText(ms)}`;
}

/** An instant to the second. */
export function secondText(ms: number, zone: Zone): string {
  const { day, time } = parts(ms, zone);
  return `${day} ${time}`;
}

export function dayText(ms: number, zone: Zone): string {
  return parts(ms, zone).day;
}

/** An instant as the label of an axis whose steps are so long. */
export function axisText(ms: number, stepMs: number, zone: Zone): string {
  const { day, time, fraction } = parts(ms, zone);
  if (stepMs >= 86400e3) return day;
  if (stepMs >= 60e3) return time === "00:00:00" ? day : time.slice(0, 5);
  return stepMs >= 1000 ? time : `${time}.${fraction}`;
}

function offsetText(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  return `${sign}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

/** How long before or after another instant one was: `3 h before`. */
export function relativeText(ms: number, to: number, words = { before: "before", after: "after", same: "newest" }): string {
  const difference = to - ms;
  const size = Math.abs(difference);
  if (size < 1) return words.same;
  const units: [number, string][] = [[365.25 * 86400e3, "y"], [30 * 86400e3, "mo"], [86400e3, "d"], [3600e3, "h"], [60e3, "min"], [1e3, "s"], [1, "ms"]];
  const [unit, name] = units.find(([unit]) => size >= unit) ?? [1, "ms"];
  return `${Math.floor(size / unit)} ${name} ${difference > 0 ? words.before : words.after}`;
}
