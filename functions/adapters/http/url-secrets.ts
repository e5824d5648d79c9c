/**
 * The parts of a sink's URL that no answer of ours shows (maskSink), as a receiver may repeat them: the values of its query, and with
 * `path` the path and its long parts. Many a server answers with the URL that it does not know.
 */
export function urlSecrets(url: string, { path }: { path: boolean }): string[] {
  const { search, searchParams, pathname } = new URL(url);
  const query = search.slice(1);
  const written = query.split("&").map((part) => part.slice(part.indexOf("=") + 1));
  const parts = pathname.split("/").filter(({ length }) => length >= PART_MIN_CHARACTERS);
  return [query, ...written, ...searchParams.values(), ...(path ? [pathname, ...parts] : [])];
}

/** Shorter parts of a path are words, as `services`, or `hooks`. */
const PART_MIN_CHARACTERS = 9;
