/** The system's words for a request that got no answer. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, code }: NodeJS.ErrnoException = error.cause instanceof Error ? error.cause : error;
  // Of an attempt at several addresses of a host there is only the code.
  return message === "" ? String(code) : message;
}
