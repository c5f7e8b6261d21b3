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

/** Asks anew whenever the key changes, and stops the question before; without a key asks nothing. */
export function useAnswer<T>(key: string | undefined, ask: Ask<T>): Answer<T> {
  const [state, setState] = useState<Omit<Answer<T>, "retry">>({ value: undefined, error: undefined, isBusy: key !== undefined, progress: undefined });
  const [tries, setTries] = useState(0);
  const current = useRef(ask);
  current.current = ask;
  useEffect(() => {
    if (key === undefined) {
      setState({ value: undefined, error: undefined, isBusy: false, progress: undefined });
      return;
    }
    const stop = new AbortController();
    setState((before) => ({ ...before, isBusy: true, progress: undefined }));
    const onProgress = (progress: Progress) => {
      if (!stop.signal.aborted) setState((before) => ({ ...before, progress }));
    };
    current.current({ signal: stop.signal, onProgress }).then(
      (value) => {
        if (!stop.signal.aborted) setState({ value, error: undefined, isBusy: false, progress: undefined });
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setState({ value: undefined, error: asError(error), isBusy: false, progress: undefined });
      },
    );
    return () => stop.abort();
  }, [key, tries]);
  return { ...state, retry: () => setTries(tries + 1) };
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
