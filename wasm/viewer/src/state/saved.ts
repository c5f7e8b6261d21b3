import { signal } from "@preact/signals";
import { keep, kept } from "./kept.ts";

/** A query that has a name: the address of a view. */
export interface Saved {
  name: string;
  address: string;
}

function check(value: unknown): Saved[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const isSaved = (one: unknown): one is Saved =>
    typeof one === "object" && one !== null && typeof (one as Saved).name === "string" && /^#\//.test(String((one as Saved).address));
  return value.filter(isSaved);
}

export const saved = signal<Saved[]>(kept("saved", check) ?? []);

/** Whether the browser keeps what is saved beyond this visit. */
export const isKept = signal(true);

export function save(name: string, address: string): void {
  set([...saved.value.filter((one) => one.name !== name), { name, address }]);
}

export function forget(name: string): void {
  set(saved.value.filter((one) => one.name !== name));
}

function set(list: Saved[]): void {
  saved.value = list;
  isKept.value = keep("saved", list);
}
