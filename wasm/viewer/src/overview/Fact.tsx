import type { ComponentChildren } from "preact";

/** A number with its name. */
export function Fact({ name, note, children }: { name: string; note?: ComponentChildren; children: ComponentChildren }) {
  return <div class="fact"><dt>{name}</dt><dd>{children}{note && <small>{note}</small>}</dd></div>;
}
