import { plural } from "./format.ts";
import { Failed } from "./states.tsx";
import type { Pages } from "./use-pages.ts";

/** The end of a list: how much of it is shown, and the rest by a click. */
export function PageFoot<Row>({ pages, one, many }: { pages: Pages<Row>; one: string; many?: string }) {
  const { rows, hasMore, isLoading, problem, more } = pages;
  if (problem !== undefined) return <Failed problem={problem} onRetry={more} />;
  return (
    <p class="foot quiet">
      <span role="status">
        {plural(rows.length, one, many)}
        {hasMore ? " so far" : ""}
      </span>
      {hasMore && (
        <button type="button" disabled={isLoading} onClick={more}>
          {isLoading ? "Loading…" : "Show more"}
        </button>
      )}
    </p>
  );
}
