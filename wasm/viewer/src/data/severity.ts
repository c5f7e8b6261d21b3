/** Severities are numbers from 1 to 24, four to a band. */
export const BANDS = ["none", "trace", "debug", "info", "warning", "error", "critical"] as const;
export type Band = (typeof BANDS)[number];

/** The band of a severity; `none` of an event without one. */
export function bandOf(severity: number | null | undefined): Band {
  if (severity === null || severity === undefined || !(severity >= 1)) return "none";
  return BANDS[Math.min(Math.floor((severity - 1) / 4) + 1, BANDS.length - 1)]!;
}

/** The term of a filter that matches a band. */
export function bandTerm(band: Band): string {
  if (band === "none") return "-severity:*";
  const at = BANDS.indexOf(band);
  const next = BANDS[at + 1];
  if (next === undefined) return "severity>=critical";
  return at === 1 ? `severity<${next}` : `(severity>=${band} severity<${next})`;
}

const NAMES: Readonly<Record<number, string>> = { 1: "trace", 5: "debug", 9: "info", 10: "notice", 13: "warning", 17: "error", 21: "critical" };

/** A severity's name, such as `error` or, between two names, `error+1`. */
export function severityName(severity: number): string {
  for (let least = severity; least >= 1; least--) {
    const name = NAMES[least];
    if (name) return least === severity ? name : `${name}+${severity - least}`;
  }
  return String(severity);
}
