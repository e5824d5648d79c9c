import { FilterChips } from "../parts/filter-chips.tsx";
import { count, duration } from "../parts/format.ts";
import { Empty, Failed } from "../parts/states.tsx";
import { conditionsOf } from "../parts/filter-params.ts";
import { route } from "../route.ts";
import { tenant } from "../session.ts";
import { LiveTable } from "./live/live-table.tsx";
import { type Feed, useFeed } from "./live/use-feed.ts";

/** Events as they are stored, in the order of the feed. */
export function Live() {
  const filter = new URLSearchParams(conditionsOf(route.value.params).map(([name, value]) => [name, value]));
  const key = `${tenant.value} ${filter}`;
  return <Following key={key} filter={filter} />;
}

function Following({ filter }: { filter: URLSearchParams }) {
  const feed = useFeed(filter);
  const { state, rows, standing, start, stop } = feed;
  const isRunning = standing.kind === "following" || standing.kind === "waiting";
  return (
    <>
      <header class="head">
        <h1>
          Live <Standing feed={feed} />
        </h1>
        <div class="buttons">
          {isRunning ? (
            <button type="button" onClick={() => stop("paused")}>
              Pause
            </button>
          ) : (
            <button type="button" class="primary" onClick={() => start("cursor")}>
              {standing.kind === "failed" ? "Try again" : "Resume"}
            </button>
          )}
          <button type="button" onClick={() => start("start")}>
            From the start
          </button>
        </div>
      </header>
      <div class="toolbar">
        <FilterChips />
        <p class="counters" aria-label="Events since it began">
          <span>
            <b class="number">{count(state.shown)}</b> shown
          </span>
          <span>
            <b class="number">{count(state.skipped)}</b> skipped
          </span>
          <span>
            <b class="number">{count(state.shown + state.skipped)}</b> stored
          </span>
        </p>
      </div>
      <Why feed={feed} />
      {rows.length > 0 ? (
        <LiveTable rows={rows} />
      ) : (
        standing.kind !== "failed" && (
          <Empty title={isRunning ? "Waiting for the next event" : "No event yet"}>
            <p>
              An event appears here as soon as it is stored. Of more than 50 a second the newest are drawn, and the
              others counted.
            </p>
          </Empty>
        )
      )}
    </>
  );
}

function Standing({ feed: { standing } }: { feed: Feed }) {
  switch (standing.kind) {
    case "following":
      return <span class="badge good">following</span>;
    case "waiting":
      return <span class="badge warn">waits</span>;
    case "failed":
      return <span class="badge bad">stopped</span>;
    default:
      return <span class="badge warn">{standing.kind === "paused" ? "paused" : "stopped"}</span>;
  }
}

/** Says why nothing comes, and how to go on. */
function Why({ feed: { standing, start, lagMs } }: { feed: Feed }) {
  switch (standing.kind) {
    case "following":
      return lagMs > 1_000 ? (
        <p class="note warn" role="status">
          A transaction that is open has held later events back for {duration(lagMs)}.
        </p>
      ) : null;
    case "waiting":
      return (
        <p class="note warn" role="status">
          {standing.problem.message} It is asked again in {duration(standing.milliseconds)}; no event is missed.
        </p>
      );
    case "paused":
      return (
        <p class="note" role="status">
          Paused. It goes on where it stopped, with every event since.
        </p>
      );
    case "hidden":
      return (
        <p class="note warn" role="status">
          Stopped, because the tab was hidden: a hidden tab asks for nothing. Resume goes on where it stopped, with
          every event since.
        </p>
      );
    case "idle":
      return (
        <p class="note warn" role="status">
          Stopped, because nobody has used the page for 10 minutes. Resume goes on where it stopped, with every event
          since.
        </p>
      );
    case "failed": {
      const { problem } = standing;
      if (problem.code !== "cursor_expired") return <Failed problem={problem} onRetry={() => start("cursor")} />;
      return (
        <div class="stack">
          <Failed problem={problem} />
          <div class="buttons">
            <button type="button" onClick={() => start("now")}>
              Go on from now
            </button>
          </div>
        </div>
      );
    }
  }
}
