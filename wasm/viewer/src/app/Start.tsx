import { Failure } from "./Failure.tsx";
import { look } from "./drop.ts";
import { opening } from "./opening.ts";
import { bytesText } from "../text/numbers.ts";

/** What is shown before any events are open: how far it is, what went wrong, and a place for a file. */
export function Start({ retry }: { retry: () => void }) {
  const now = opening.value;
  const { error } = now ?? {};
  const hasNoBundle = now?.of === "bundle" && error?.kind === "not_found" && error.message.includes("manifest.json");
  return (
    <div class="start">
      <h1>Daybook</h1>
      {now && !error && <Progress />}
      {hasNoBundle && <p>There is no bundle of events beside this page. A log file can be looked at all the same.</p>}
      {error && !hasNoBundle && <Failure error={error} {...(now?.of === "bundle" ? { retry } : {})} />}
      {(!now || error) && <Chooser />}
    </div>
  );
}

function Progress() {
  const { of, name, progress } = opening.value!;
  const what = of === "bundle" ? "the bundle" : (name ?? "the file");
  const words = { open: "Opening", fetch: "Fetching", decode: "Reading", query: "Asking" }[progress?.step ?? "open"];
  const isKnown = progress?.step === "fetch" && progress.total > 0;
  return (
    <div role="status" class="opening">
      <p>{words} {what} … {isKnown && <span class="quiet">{bytesText(progress.done)} of {bytesText(progress.total)}</span>}</p>
      <progress max={isKnown ? progress.total : undefined} value={isKnown ? progress.done : undefined} aria-label="Progress" />
    </div>
  );
}

function Chooser() {
  return (
    <div class="chooser">
      <p><strong>Drop a log file anywhere on this page</strong>, or choose one: JSON lines, CSV, syslog, access logs and others, compressed or not. It stays in this page: nothing is sent anywhere.</p>
      <p>
        <label class="button primary">
          Choose a file
          <input type="file" class="hidden" onChange={(event) => void look([...(event.currentTarget.files ?? [])])} />
        </label>{" "}
        <label class="button">
          Choose the folder of a bundle
          <input type="file" class="hidden" {...{ webkitdirectory: true }} onChange={(event) => void look([...(event.currentTarget.files ?? [])])} />
        </label>
      </p>
    </div>
  );
}
