// What a user of the package may write; it is only checked.
import { Daybook, type About, DaybookError, type Finding, LimitError, type Progress, type Selection } from "@daybook/web";

export async function use(signal: AbortSignal, file: File): Promise<number> {
  const store = await Daybook.open("/logs/", { memoryLimit: 1 << 28, signal });
  const about: About = store.about;
  const onProgress = ({ step, done, total }: Progress) => console.log(step, done / total);
  const rows = (await store.sql("SELECT 1 AS n", { parameters: {}, signal, onProgress })).toArray();
  for await (const batch of store.search("severity>=error", { limit: 10 })) console.log(batch.numRows);
  const selection: Selection = await store.select({ filter: "kind:a", order: { column: "ts", descending: true } });
  const at: number | undefined = await selection.index({ seq: 1n });
  const page = await selection.page(0, 10, { columns: ["ts"] });
  const { total, duration_ms } = await store.stats();
  const { buckets } = await store.timeline({ by: "level" });
  const { facets } = await store.facets({ by: ["kind"] });
  const findings: Finding[] = (await store.patterns()).findings;
  const { changes } = await store.history({ entityType: "file", entityId: "a" });
  const { totals } = await store.audit({ from: "2026-01-01", until: "2026-02-01" });
  const dropped = await store.ingest(file, { format: "jsonl" });
  const bytes: Uint8Array = await store.export("parquet", { filter: "kind:a" });
  const { damaged } = await store.verify({ onProgress });
  try {
    await dropped.ask<{ total: number }>({ analysis: "stats" });
  } catch (error) {
    if (error instanceof LimitError || (error instanceof DaybookError && error.kind === "limit")) console.log(error.hint);
  }
  // @ts-expect-error there is no such format
  await store.export("docx");
  // @ts-expect-error columns are told by `by`
  await store.facets({});
  const numbers = [at ?? 0, page.numRows, total, duration_ms.count, buckets.length, facets.length, totals.events, bytes.length];
  return numbers.reduce((sum, one) => sum + one, rows.length + about.events + findings.length + changes.length + damaged.length);
}
