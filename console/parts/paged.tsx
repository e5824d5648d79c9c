import type { ComponentChildren } from "preact";
import { Failed, Loading } from "./states.tsx";
import type { Pages } from "./use-pages.ts";

type Props<Row> = {
  pages: Pages<Row>;
  /** As `keys`. */
  what: string;
  /** The lines of the place that is kept while the first page is loaded. */
  lines?: number;
  /** Shown where the list is empty. */
  empty: ComponentChildren;
  /** The rows. */
  children: ComponentChildren;
};

/** A list that is loaded page after page, or the state in which it is: failed, loading or empty. */
export function Paged<Row>({ pages, what, lines = 6, empty, children }: Props<Row>) {
  const { problem, isReady, rows, reload } = pages;
  if (problem !== undefined && !isReady) return <Failed problem={problem} onRetry={reload} />;
  if (!isReady) return <Loading what={`Loading ${what}`} lines={lines} />;
  return <>{rows.length === 0 ? empty : children}</>;
}
