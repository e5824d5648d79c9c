/** Makes a value when it is first asked for, and keeps it: for schemas, of which a cold start needs few. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
