import { quoted } from "../search/filter-text.ts";

/** The filter of the command that shows the events behind a finding; nothing for commands that this page has not. */
export function filterOf(words: readonly string[]): string | undefined {
  const [command, ...rest] = words;
  const plain = rest.filter((word) => !word.startsWith("--"));
  if (command === "search" || command === "timeline" || command === "slowest") return plain.join(" ");
  if (command === "session" && plain[0] !== undefined && !plain[0].includes("@")) return `session:${quoted(plain[0])}`;
  return undefined;
}
