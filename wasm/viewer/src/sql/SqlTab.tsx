import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Failure } from "../app/Failure.tsx";
import { download } from "../app/download.ts";
import { tell } from "../app/notice.ts";
import { useAnswer } from "../data/answer.ts";
import type { Events } from "../data/events.ts";
import { SavedQueries } from "../search/SavedQueries.tsx";
import { show, view } from "../state/page.ts";
import { bytesText, countText, durationText } from "../text/numbers.ts";
import { Chart } from "./Chart.tsx";
import { ResultGrid } from "./ResultGrid.tsx";
import { columnsOf } from "./columns.ts";
import { type Editor, editor } from "./editor.ts";

/** SQL of the events, its rows as a table or a chart. */
export function SqlTab({ events }: { events: Events }) {
  const parent = useRef<HTMLDivElement>(null);
  const made = useRef<Editor | undefined>(undefined);
  const [runs, setRuns] = useState(0);
  const { sql, shown } = view.value;
  const run = () => {
    show({ sql: made.current!.text() });
    setRuns((before) => before + 1);
  };
  useEffect(() => {
    made.current = editor(parent.current!, view.value.sql, events.columns, run);
    return () => made.current?.destroy();
  }, [events]);
  useEffect(() => made.current?.set(sql), [sql]);
  const answer = useAnswer(sql.trim() === "" ? undefined : `${runs}\n${sql}`, async (options) => {
    const started = performance.now();
    const table = await events.sql(sql, options);
    return { table, columns: columnsOf(table), ms: performance.now() - started };
  });
  const result = answer.value;
  const tabs = useMemo(() => ["table", "chart"] as const, []);
  return (
    <div class="sql">
      <h1 class="hidden">SQL</h1>
      <div class="editor" ref={parent} />
      <div class="sql-tools">
        <button type="button" class="primary" onClick={run}>Run <kbd class="on-primary">Ctrl Enter</kbd></button>
        <div class="tabs small" role="group" aria-label="Show the rows as">
          {tabs.map((as) => <button type="button" key={as} aria-pressed={shown.as === as} onClick={() => show({ shown: { ...shown, as } })}>{as === "table" ? "Table" : "Chart"}</button>)}
        </div>
        <span role="status" class="quiet">
          {answer.isBusy ? `Running … ${answer.progress?.step === "fetch" ? `fetched ${bytesText(answer.progress.done)} of ${bytesText(answer.progress.total)}` : ""}` : result ? `${countText(result.table.numRows)} ${result.table.numRows === 1 ? "row" : "rows"} in ${durationText(result.ms)}` : ""}
        </span>
        <span class="space" />
        <Files events={events} sql={sql} />
        <SavedQueries />
      </div>
      <div class={answer.isBusy ? "result stale" : "result"} aria-busy={answer.isBusy}>
        {answer.error && <Failure error={answer.error} retry={run} />}
        {result && shown.as === "table" && <ResultGrid table={result.table} columns={result.columns} />}
        {result && shown.as === "chart" && <Chart table={result.table} columns={result.columns} />}
      </div>
    </div>
  );
}

/** Writes the rows as a file. */
function Files({ events, sql }: { events: Events; sql: string }) {
  const [isBusy, setBusy] = useState(false);
  const write = async (format: "csv" | "parquet" | "json") => {
    setBusy(true);
    try {
      download(await events.store.export(format, { sql }), `query.${format}`);
    } catch (error) {
      tell((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <>
      {(["csv", "parquet", "json"] as const).map((format) => (
        <button type="button" key={format} disabled={isBusy} onClick={() => void write(format)}>{format === "parquet" ? "Parquet" : format.toUpperCase()}</button>
      ))}
    </>
  );
}
