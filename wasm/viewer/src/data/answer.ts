import type { Progress } from "@daybook/web";
import { useEffect, useRef, useState } from "preact/hooks";

/** What is known of a question's answer. */
export interface Answer<T> {
  /** The last answer, which may be of the question before. */
  value: T | undefined;
  error: Error | undefined;
  /** Whether an answer is on its way. */
  isBusy: boolean;
  progress: Progress | undefined;
  retry: () => void;
}

type Ask<T> = (options: { signal: AbortSignal; onProgress: (progress: Progress) => void }) => Promise<T>;

interface Known<T> {
  /** The question that was answered. */
  key: string | undefined;
  value?: T;
  error?: Error;
}

/** Asks anew whenever the key changes, and stops the question before; without a key asks nothing. */
export function useAnswer<T>(key: string | undefined, ask: Ask<T>): Answer<T> {
  const [known, setKnown] = useState<Known<T>>({ key: undefined });
  const [progress, setProgress] = useState<Progress>();
  const [tries, setTries] = useState(0);
  const current = useRef(ask);
  current.current = ask;
  const question = key === undefined ? undefined : `${tries}\n${key}`;
  useEffect(() => {
    setProgress(undefined);
    if (question === undefined) return;
    const stop = new AbortController();
    const { signal } = stop;
    current.current({ signal, onProgress: (done) => signal.aborted || setProgress(done) }).then(
      (value) => signal.aborted || setKnown({ key: question, value }),
      (error: unknown) => signal.aborted || setKnown({ key: question, error: asError(error) }),
    );
    return () => stop.abort();
  }, [question]);
  const isBusy = known.key !== question && question !== undefined;
  return { value: known.value, error: isBusy ? undefined : known.error, isBusy, progress, retry: () => setTries(tries + 1) };
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
