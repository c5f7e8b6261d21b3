/** Reads what was kept across visits; nothing if there is none, or the browser keeps nothing. */
export function kept<T>(name: string, check: (value: unknown) => T | undefined): T | undefined {
  try {
    const text = localStorage.getItem(`daybook:${name}`);
    return text === null ? undefined : check(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Keeps something across visits; says whether the browser could. */
export function keep(name: string, value: unknown): boolean {
  try {
    localStorage.setItem(`daybook:${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
