import { ShowLink } from "./ShowLink.tsx";
import type { Finding } from "./reports.ts";

const WHATS: Readonly<Record<string, string>> = {
  "burst": "Burst", "drop": "Drop", "silence": "Silence", "new": "New", "step": "Step", "growth": "Growth", "slower": "Slower", "faster": "Faster",
  "missed": "Missed", "session": "Session", "actor": "Actor", "co-change": "Together", "rhythm": "Rhythm", "sequence": "Sequence",
};

/** What an analysis found, the most telling first. */
export function FindingList({ findings }: { findings: readonly Finding[] }) {
  if (findings.length === 0) return <p class="quiet">Nothing unusual was found.</p>;
  return (
    <ol>
      {findings.map((finding, at) => (
        <li class="finding" key={`${at} ${finding.about}`}>
          <span class="what">{WHATS[finding.what] ?? finding.what}</span>
          <div>
            <ShowLink words={finding.show}><span class="mono">{finding.about}</span></ShowLink>
            <p>{finding.title}</p>
            {finding.also && <p class="quiet">also {finding.also.join(", ")}</p>}
          </div>
          {finding.counts && finding.counts.length > 1 && <Spark counts={finding.counts} />}
        </li>
      ))}
    </ol>
  );
}

/** Counts as small bars; those that stand out are marked. */
export function Spark({ counts }: { counts: readonly number[] }) {
  const top = Math.max(...counts, 1e-9);
  const width = 190 / counts.length;
  const sorted = [...counts].sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return (
    <svg class="spark" viewBox="0 0 190 34" preserveAspectRatio="none" role="img" aria-label={`Counts: ${counts.map((count) => Math.round(count)).join(", ")}`}>
      {counts.map((count, at) => {
        const height = Math.max((count / top) * 32, count > 0 ? 1.5 : 0.5);
        return <rect key={at} class={count > 2 * median + 1 ? "in" : ""} x={at * width} y={34 - height} width={Math.max(width - 1, 0.8)} height={height} />;
      })}
    </svg>
  );
}
