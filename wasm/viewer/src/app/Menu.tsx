import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface MenuProps {
  label: ComponentChildren;
  /** What the button is called where its label is a sign. */
  name?: string;
  class?: string;
  children: (close: () => void) => ComponentChildren;
}

/** A button that opens a small panel below it. */
export function Menu({ label, name, class: classes = "", children }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>(".panel input, .panel button, .panel select")?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    close();
  };
  return (
    <div class={`menu ${classes}`} ref={root} onKeyDown={onKeyDown}>
      <button ref={button} type="button" aria-expanded={isOpen} aria-haspopup="dialog" aria-label={name} title={name} onClick={() => setOpen(!isOpen)}>
        {label}
      </button>
      {isOpen && <div class="panel" role="dialog" aria-label={name ?? (typeof label === "string" ? label : "Choices")}>{children(close)}</div>}
    </div>
  );
}
