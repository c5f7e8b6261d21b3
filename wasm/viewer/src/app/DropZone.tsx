import { useEffect, useState } from "preact/hooks";
import { events } from "../state/page.ts";
import { Failure } from "./Failure.tsx";
import { look } from "./drop.ts";
import { opening } from "./opening.ts";

/** Takes files that are dropped anywhere on the page. */
export function DropZone() {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(false);
      void look([...(event.dataTransfer?.files ?? [])]);
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  const now = opening.value;
  const isAside = events.value !== undefined && now?.of === "file";
  return (
    <>
      {isOver && <div class="dropzone" aria-hidden="true">Drop a log file to look at it. It stays in this page.</div>}
      {isAside && (
        <div class="aside" role={now.error ? undefined : "status"}>
          {now.error ? <Failure error={now.error} /> : <p>Reading {now.name} …</p>}
          <button type="button" onClick={() => (now.stop?.abort(), (opening.value = undefined))}>{now.error ? "Close" : "Cancel"}</button>
        </div>
      )}
    </>
  );
}
