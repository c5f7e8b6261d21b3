import { type Completion, type CompletionContext, acceptCompletion, autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { history, historyKeymap, standardKeymap } from "@codemirror/commands";
import { EditorState, Prec, RangeSetBuilder, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, drawSelection, keymap, lineNumbers, placeholder } from "@codemirror/view";
import type { Column } from "../data/events.ts";
import { identifier } from "../data/statements.ts";
import { keywords, tokens } from "./tokens.ts";
import { FUNCTIONS, WORDS } from "./words.ts";

export interface Editor {
  text(): string;
  set(text: string): void;
  focus(): void;
  destroy(): void;
}

const MARKS = Object.fromEntries(["keyword", "text", "number", "comment", "type"].map((kind) => [kind, Decoration.mark({ class: `sql-${kind}` })]));

/** The colours of all of a statement; longer ones are rare, and stay plain after a while. */
const COLOURED_MAX = 50_000;

function coloured(text: string): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to, kind } of tokens(text.slice(0, COLOURED_MAX))) builder.add(from, to, MARKS[kind]!);
  return builder.finish();
}

const colours = StateField.define<DecorationSet>({
  create: (state) => coloured(state.doc.toString()),
  update: (before, change) => (change.docChanged ? coloured(change.newDoc.toString()) : before),
  provide: (field) => EditorView.decorations.from(field),
});

const look = EditorView.theme({
  "&": { fontSize: "13px", height: "100%", color: "var(--text)", backgroundColor: "var(--ground)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "none" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--row-active)" },
  ".sql-keyword": { color: "var(--accent)", fontWeight: "600" },
  ".sql-text": { color: "var(--good)" },
  ".sql-number": { color: "var(--warning-text)" },
  ".sql-comment": { color: "var(--quiet)", fontStyle: "italic" },
  ".sql-type": { color: "var(--critical-text)" },
  ".cm-placeholder": { color: "var(--quiet)" },
  ".cm-tooltip": { backgroundColor: "var(--ground)", border: "1px solid var(--line-strong)", borderRadius: "6px", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-ground)", color: "var(--accent-text)" },
  ".cm-completionDetail": { color: "var(--quiet)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
});

/** An editor of SQL. It lives in a shadow tree, where its style sheets are not inline ones to a strict policy. */
export function editor(parent: HTMLElement, text: string, columns: readonly Column[], run: () => void): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" });
  const state = EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(), history(), drawSelection(), closeBrackets(), look, colours,
      EditorState.tabSize.of(2), EditorView.lineWrapping, placeholder("SELECT … FROM events"),
      EditorView.contentAttributes.of({ "aria-label": "SQL" }), typesOver,
      Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (run(), true) }, { key: "Tab", run: acceptCompletion }])),
      keymap.of([...completionKeymap, ...standardKeymap, ...historyKeymap]),
      autocompletion({ icons: false, override: [completing(columns)] }),
    ],
  });
  const view = new EditorView({ state, parent: root as unknown as Element, root });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => {
      if (next !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

/** Types over what is selected. A browser that does so makes an inline style of the colours there, which the policy refuses. */
const typesOver = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    if (event.inputType !== "insertText" || !event.data || view.composing || view.state.selection.main.empty) return false;
    view.dispatch(view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true }));
    event.preventDefault();
    return true;
  },
});

/** Offers columns, tables, functions and words. */
function completing(columns: readonly Column[]) {
  const bare = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : identifier(name));
  const offers: Completion[] = [
    ...columns.map(({ name, type, path }) => ({ label: name, apply: bare(name), detail: path && path.join(".") !== name ? `${path.join(".")} · ${type}` : type, type: "property", boost: 2 })),
    { label: "events", detail: "table", type: "type", boost: 1 },
    { label: "templates", detail: "table", type: "type" },
    ...FUNCTIONS.map(([name, detail]) => ({ label: name, apply: `${name}(`, detail, type: "function" })),
    ...[...keywords(), ...WORDS].map((label) => ({ label, type: "keyword" })),
  ];
  return (context: CompletionContext) => {
    const word = context.matchBefore(/[\w.]+/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: offers, validFor: /^[\w.]*$/ };
  };
}
