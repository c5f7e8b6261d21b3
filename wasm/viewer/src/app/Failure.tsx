interface FailureProps {
  error: Error & { hint?: string; kind?: string };
  retry?: () => void;
  isSmall?: boolean;
}

/** What went wrong, what can be done about it, and a button that tries again. */
export function Failure({ error, retry, isSmall = false }: FailureProps) {
  return (
    <div class={isSmall ? "failure small" : "failure"} role="alert">
      <p class="message">{error.message}</p>
      {error.hint && <p class="hint">{error.hint}</p>}
      {retry && <button type="button" onClick={retry}>Try again</button>}
    </div>
  );
}
