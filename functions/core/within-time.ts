/**
 * Awaits a call until its timeout or the deadline (ms since the epoch), whichever is first, also where it does not heed the signal.
 * @throws DOMException `AbortError` when the time is over
 */
export async function withinTime<T>(
  timeoutMs: number,
  deadline: number,
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  // This timer is cleared; the one of AbortSignal.timeout would hold the signal after each call.
  const stop = new AbortController();
  const isOver = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      isOver.reject(new DOMException("The time is over.", "AbortError"));
      stop.abort();
    },
    Math.max(Math.min(timeoutMs, deadline - Date.now()), 1),
  );
  try {
    return await Promise.race([call(stop.signal), isOver.promise]);
  } finally {
    clearTimeout(timer);
  }
}
