// A page of one's own over a bundle: what a filter finds, by source, and the newest of it.
import { Daybook, DaybookError } from "@daybook/web";

const form = document.querySelector("form")!;
const field = form.querySelector("input")!;
const output = form.querySelector("output")!;
const bySource = document.querySelector("tbody")!;
const newest = document.querySelector("ol")!;

// The folder that `daybook export --bundle` wrote lies beside the page.
const store = await Daybook.open(new URL("logs/", document.baseURI));
let asked = new AbortController();

/** An element with text in it. What stands in events is never markup. */
function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

async function show(): Promise<void> {
  // What is asked now is wanted more than what was asked before.
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const filter = field.value;
  try {
    const selection = await store.select({ filter, signal });
    const [facets, page] = await Promise.all([
      store.facets({ filter, by: ["source"], signal }),
      selection.page(0, 20, { columns: ["ts", "source", "message"], signal }),
    ]);
    selection.close();
    output.textContent = `${selection.length.toLocaleString()} of ${store.about.events.toLocaleString()} events`;
    const last = new Map(page.toArray().reverse().map(({ ts, source }) => [source, new Date(ts)]));
    const row = ({ value, count }: { value: string; count: number }) => {
      const made = document.createElement("tr");
      made.append(element("td", value), element("td", count.toLocaleString()), element("td", last.get(value)?.toISOString() ?? ""));
      return made;
    };
    bySource.replaceChildren(...(facets.facets[0]?.values ?? []).map(row));
    const line = ({ ts, message }: { ts: number; message: string | null }) => {
      const made = element("li", ` ${message ?? ""}`);
      made.prepend(element("time", new Date(ts).toISOString()));
      return made;
    };
    newest.replaceChildren(...page.toArray().map(line));
  } catch (error) {
    if (!(error instanceof DaybookError)) throw error;
    if (error.kind !== "interrupted") output.textContent = [error.message, error.hint].filter(Boolean).join("\n");
  }
}

form.addEventListener("submit", (event) => event.preventDefault());
field.addEventListener("input", () => void show());
await show();
document.body.dataset.ready = "yes";
