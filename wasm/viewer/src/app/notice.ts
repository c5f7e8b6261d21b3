import { signal } from "@preact/signals";

/** What the page has just done, in words; it goes after a while. */
export const notice = signal("");

let timer: ReturnType<typeof setTimeout>;

export function tell(text: string): void {
  notice.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => (notice.value = ""), 4000);
}

/** Copies a text, where the browser lets the page. */
export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tell(done);
  } catch {
    tell("The browser does not let this page copy.");
  }
}
