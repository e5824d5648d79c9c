import { call } from "../../api/client.ts";
import { usePoll } from "../../frame/awake.ts";
import { Chart } from "../../parts/chart.tsx";
import { count, decimal, duration } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { route, setParams } from "../../route.ts";
import { tenant } from "../../session.ts";
import { type History, perSecond } from "./history.ts";

const SPANS = ["1h", "24h", "7d"] as const;

/** A point is a minute or more, so asking more often shows nothing new. */
const POLL_MS = 60_000;

/** The events that passed, over time. */
export function Rates() {
  const span = SPANS.find((each) => each === route.value.params.get("span")) ?? "1h";
  const { data, problem, isLoading, reload } = useLoad(
    `history ${span} ${tenant.value}`,
    async (signal) => (await call<History>("GET", "status/history", { signal, query: { span }, record: false })).body,
    { keep: true },
  );
  usePoll(POLL_MS, reload);
  return (
    <section class="stack" aria-label="Rates">
      <header class="head">
        <h2>Over time</h2>
        <div class="segments" role="group" aria-label="Span">
          {SPANS.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === span}
              onClick={() => setParams({ span: each }, true)}
            >
              {each.replace(/(\d+)/, "$1 ")}
            </button>
          ))}
        </div>
      </header>
      {data === undefined && problem !== undefined && <Failed problem={problem} onRetry={reload} />}
      {data === undefined && problem === undefined && <Loading what="Loading the history" />}
      {data !== undefined && problem !== undefined && (
        <p class="note warn" role="status">
          The charts are not the newest: {problem.message}
        </p>
      )}
      {data !== undefined && (
        <div class={isLoading && data.span !== span ? "stale" : ""}>
          <Charts history={data} />
        </div>
      )}
    </section>
  );
}

function Charts({ history }: { history: History }) {
  const { times, accepted, stored, refused, open, lag } = perSecond(history);
  const last = <T,>(values: readonly T[]) => values.at(-1) ?? null;
  return (
    <div class="grid">
      <div class="card">
        <Chart
          title="Events a second"
          times={times}
          format={decimal}
          series={[
            { name: "accepted", values: accepted, color: "accent", kind: "area" },
            { name: "stored", values: stored, color: "good" },
          ]}
        />
      </div>
      <div class="card">
        <Chart
          title="Refused a second"
          times={times}
          format={decimal}
          series={[{ name: "refused", values: refused, color: "bad", kind: "bars" }]}
        />
      </div>
      <div class="card">
        <Chart
          title="From accepted to stored"
          times={times}
          format={duration}
          series={[{ name: "lag", values: lag, color: "warn", kind: "line" }]}
        />
      </div>
      <div class="card">
        <Chart
          title={`Open dead letters: ${count(last(open) ?? 0)}`}
          times={times}
          format={count}
          series={[{ name: "open", values: open, color: "warn", kind: "area" }]}
        />
      </div>
    </div>
  );
}
