/** Calls back once the signal fires, at once if it has; the returned function takes that back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/** The promise's answer, or `instead` if the signal fires first. */
export async function unlessAborted<Answer, Instead>(
  promise: Promise<Answer>,
  signal: AbortSignal,
  instead: Instead,
): Promise<Answer | Instead> {
  let forget: () => void = () => undefined;
  const aborted = new Promise<Instead>((resolve) => {
    forget = onAbort(signal, () => resolve(instead));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    forget();
  }
}

/** Waits so long, or until the signal fires if that is sooner. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let forget: () => void = () => undefined;
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, milliseconds);
    forget = onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
