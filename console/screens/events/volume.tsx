import { call } from "../../api/client.ts";
import { Chart } from "../../parts/chart.tsx";
import { compact, count, time } from "../../parts/format.ts";
import { bucketsOf, bucketStarts, type Range } from "../../parts/range.ts";
import { useLoad } from "../../parts/use-load.ts";
import { setParams } from "../../route.ts";
import { volumeBody } from "./query.ts";

type Aggregate = {
  rows: readonly { bucket: string; count: string }[];
  metadata: { from: "rollup" | "rows"; complete: boolean; reached: string; droppedBefore?: string };
};

/** The number of events of the filter over time. A range that is drawn on it becomes that of the screen. */
export function Volume({ id, params, range }: { id: string; params: URLSearchParams; range: Range }) {
  const { data, problem, isLoading } = useLoad(
    id,
    async (signal) => {
      const buckets = bucketsOf(range);
      const { body } = await call<Aggregate>("POST", "events/aggregate", { body: volumeBody(params, buckets), signal });
      return { times: bucketStarts(buckets), ...body };
    },
    { keep: true },
  );
  if (problem !== undefined) return <p class="note bad">The events could not be counted: {problem.message}</p>;
  const counts = new Map(data?.rows.map(({ bucket, count: events }) => [Date.parse(bucket) / 1_000, Number(events)]));
  const droppedBefore = data?.metadata.droppedBefore;
  const values = (data?.times ?? []).map((at) => counts.get(at) ?? 0);
  return (
    <div class={`card ${isLoading ? "stale" : ""}`}>
      <Chart
        title="Events received"
        times={data?.times ?? NO_TIMES}
        series={[{ name: "events", values, color: "accent", kind: "bars" }]}
        format={compact}
        height={104}
        onBrush={(from, to) => setParams({ range: undefined, from: toIso(from), to: toIso(to) })}
        aside={data !== undefined && <Sum data={data} sum={values.reduce((sum, value) => sum + value, 0)} />}
      />
      {droppedBefore !== undefined && (
        <p class="note">
          Retention has dropped events that were received before {time(droppedBefore)}: of that time only those that are
          left count.
        </p>
      )}
    </div>
  );
}

const NO_TIMES: readonly number[] = [];

function Sum({ data: { metadata }, sum }: { data: Aggregate; sum: number }) {
  return (
    <span class="quiet number push">
      {metadata.complete
        ? `${count(sum)} in this range`
        : `${count(sum)} up to ${time(metadata.reached)}, where the time to count was over`}
    </span>
  );
}

function toIso(seconds: number): string {
  return new Date(Math.round(seconds) * 1_000).toISOString();
}
