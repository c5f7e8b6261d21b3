import { useState } from "preact/hooks";
import { ReportHead } from "../app/ReportHead.tsx";
import { Asked } from "../patterns/Asked.tsx";
import type { Events } from "../data/events.ts";
import { show, view } from "../state/page.ts";
import { Report } from "./Report.tsx";
import type { AuditReport } from "./report.ts";

const DAY_MS = 86_400_000;

/** The audit report of a period, to print. */
export function AuditTab({ events }: { events: Events }) {
  const period = periodOf(events);
  const [from, setFrom] = useState(period.from);
  const [until, setUntil] = useState(period.until);
  const isWrong = Number.isNaN(Date.parse(from)) || Number.isNaN(Date.parse(until)) || from > until;
  const make = (event: Event) => {
    event.preventDefault();
    if (!isWrong) show({ audit: { from, until } });
  };
  const request = { analysis: "audit", from: `${period.from}T00:00:00Z`, until: dayAfter(period.until) };
  return (
    <>
      <div class="no-print"><ReportHead events={events} title="Audit" /></div>
      <form class="period no-print" onSubmit={make}>
        <label>First day (UTC)<input type="date" value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></label>
        <label>Last day<input type="date" value={until} onInput={(event) => setUntil(event.currentTarget.value)} /></label>
        <button type="submit" class="primary" disabled={isWrong}>Make the report</button>
        <button type="button" onClick={() => print()}>Print</button>
        {isWrong && <span class="fault" role="status">The last day must not lie before the first.</span>}
      </form>
      <div class="report audit">
        <Asked<AuditReport> events={events} request={request}>{(report) => <Report events={events} report={report} />}</Asked>
      </div>
    </>
  );
}

/** The period of the address, or the last 30 days of the events. */
function periodOf(events: Events): { from: string; until: string } {
  const { first, last } = events.span ?? { first: 0, last: 0 };
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const { from, until } = view.value.audit;
  const isDay = (text: string | undefined): text is string => text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  return { from: isDay(from) ? from : day(Math.max(first, last - 29 * DAY_MS)), until: isDay(until) ? until : day(last) };
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString();
}
