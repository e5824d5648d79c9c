/** Calls back once the signal fires, at once if it has fired; the returned function cancels that. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/** The promise's value, or `instead` if the signal fires first. */
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

/** Waits for the given time, or until the signal fires. */
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
