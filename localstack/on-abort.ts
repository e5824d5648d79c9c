/**
 * Calls back once the signal fires, at once if it has fired; the returned function cancels that. A signal has one listener for all
 * callbacks, because it compares each new listener with all it has: hundreds of requests wait for one signal.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  const waiting = waitingFor.get(signal) ?? listen(signal);
  const own = { callback };
  waiting.add(own);
  return () => waiting.delete(own);
}

type Waiting = Set<{ callback: () => void }>;

const waitingFor = new WeakMap<AbortSignal, Waiting>();

function listen(signal: AbortSignal): Waiting {
  const waiting: Waiting = new Set();
  waitingFor.set(signal, waiting);
  signal.addEventListener("abort", () => waiting.forEach(({ callback }) => callback()), { once: true });
  return waiting;
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
