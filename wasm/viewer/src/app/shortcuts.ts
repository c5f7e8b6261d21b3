import { useEffect } from "preact/hooks";
import { events, show } from "../state/page.ts";
import { theme } from "../state/preferences.ts";
import { TABS } from "../state/view.ts";
import { isHelpOpen } from "./Help.tsx";

/** Keys that work everywhere but where text is typed. */
export function useShortcuts(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event)) return;
      if (act(event.key)) event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"));
}

function act(key: string): boolean {
  if (isHelpOpen.value) return false;
  const tab = TABS[Number(key) - 1];
  if (key === "?") isHelpOpen.value = true;
  else if (key === "/") focusSearch();
  else if (key === "t") theme.value = theme.value === "auto" ? "light" : theme.value === "light" ? "dark" : "auto";
  else if (key === "[") history.back();
  else if (key === "]") history.forward();
  else if ((key === "j" || key === "k") && document.activeElement?.id !== "events") stepTable(key);
  else if (tab && events.value) show({ tab });
  else return false;
  return true;
}

function focusSearch(): void {
  if (!events.value) return;
  const focus = () => document.getElementById("search")?.focus();
  show({ tab: "search" });
  // The next key is for the box already; on another tab, the box comes with the next frame.
  focus();
  requestAnimationFrame(focus);
}

/** Gives a key to the table from wherever the focus is. */
function stepTable(key: string): void {
  const table = document.getElementById("events");
  table?.focus({ preventScroll: true });
  table?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}
