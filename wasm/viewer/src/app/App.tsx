import { useEffect } from "preact/hooks";
import { asError } from "../data/answer.ts";
import { openBundle } from "../data/open.ts";
import { events, view } from "../state/page.ts";
import { Header } from "./Header.tsx";
import { Help, isHelpOpen } from "./Help.tsx";
import { DropZone } from "./DropZone.tsx";
import { Lazy } from "./Lazy.tsx";
import { SearchTab } from "./SearchTab.tsx";
import { Start } from "./Start.tsx";
import { notice } from "./notice.ts";
import { opening } from "./opening.ts";
import { useShortcuts } from "./shortcuts.ts";

/** The whole page. */
export function App() {
  useShortcuts();
  useEffect(() => void open(), []);
  const now = events.value;
  useEffect(() => {
    document.title = now ? `${now.title} · Daybook` : "Daybook";
  }, [now]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>Skip to the content</a>
      <Header events={now} />
      <main id="main" tabIndex={-1} class={`tab-${view.value.tab}`}>
        {now ? <Tab /> : <Start retry={() => void open()} />}
      </main>
      <DropZone />
      {isHelpOpen.value && <Help />}
      <div class={notice.value ? "notice shown" : "notice"} role="status">{notice.value}</div>
    </>
  );
}

/** Opens the bundle beside the page. */
async function open(): Promise<void> {
  const stop = new AbortController();
  opening.value = { of: "bundle", stop };
  try {
    events.value = await openBundle({ signal: stop.signal, onProgress: (progress) => (opening.value = { of: "bundle", stop, progress }) });
    opening.value = undefined;
  } catch (error) {
    opening.value = { of: "bundle", error: asError(error) };
  }
}

function Tab() {
  const now = events.value!;
  switch (view.value.tab) {
    case "search":
      return <SearchTab events={now} />;
    case "sql":
      return <Lazy key="sql" load={() => import("../sql/SqlTab.tsx").then((module) => module.SqlTab)} events={now} />;
    case "patterns":
      return <Lazy key="patterns" load={() => import("../patterns/PatternsTab.tsx").then((module) => module.PatternsTab)} events={now} />;
    case "overview":
      return <Lazy key="overview" load={() => import("../overview/OverviewTab.tsx").then((module) => module.OverviewTab)} events={now} />;
    case "audit":
      return <Lazy key="audit" load={() => import("../audit/AuditTab.tsx").then((module) => module.AuditTab)} events={now} />;
  }
}
