/** Lets loops wait for a change that another one makes. */
export function createSignal() {
  let next = Promise.withResolvers<void>();
  return {
    raise: (): void => {
      next.resolve();
      next = Promise.withResolvers<void>();
    },
    /** Resolves at the next change. */
    next: (): Promise<void> => next.promise,
  };
}
