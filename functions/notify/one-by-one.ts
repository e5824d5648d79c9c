/** Lets works that would wait for each other elsewhere go one after the other, in the order in which they asked. */
export function createOneByOne() {
  let last: Promise<unknown> = Promise.resolve();
  return function take<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}
