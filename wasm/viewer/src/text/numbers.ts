const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const some = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** A count, such as `1,234,567`. */
export function countText(count: number | bigint): string {
  return whole.format(count);
}

/** A count in few letters, such as `1.23M`. */
export function shortCount(count: number): string {
  return count < 1000 ? String(count) : compact.format(count);
}

/** A number with as many digits as are of use. */
export function numberText(value: number): string {
  return Number.isInteger(value) ? whole.format(value) : some.format(value);
}

/** Part of a whole, such as `12.3 %`. */
export function shareText(part: number, all: number): string {
  if (all === 0 || part === 0) return "0 %";
  const percent = (100 * part) / all;
  if (percent < 0.1) return "< 0.1 %";
  return `${percent >= 99.95 && part < all ? "99.9" : percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

/** Bytes, such as `24.8 MB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds as people say them: `830 ms`, `1.2 s`, `3 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${(minutes / 1440).toFixed(1)} days`;
}
