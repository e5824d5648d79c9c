import type { ComponentChildren } from "preact";
import type { JobRow } from "../screens/jobs/job-row.ts";
import type { WatchEnd } from "../screens/jobs/watch-job.ts";
import { bytes, count } from "./format.ts";
import { JobProgress } from "./job-progress.tsx";

type Props = {
  label: string;
  row: JobRow;
  end: WatchEnd | undefined;
  onCancel?: (() => void) | undefined;
  onReload: () => void;
  children?: ComponentChildren;
};

/** The progress of a job, and its receipt: numbers that add up. */
export function JobReceipt({ label, row, end, onCancel, onReload, children }: Props) {
  const { state, planned, done, createdAt, finishedAt, detail, counts } = row;
  return (
    <JobProgress
      label={label}
      state={STATES[state] ?? "running"}
      done={done}
      total={planned}
      startedAt={createdAt}
      finishedAt={finishedAt}
      reason={state === "failed" ? detail : undefined}
      onCancel={state === "cancelling" ? undefined : onCancel}
    >
      {state === "cancelling" && (
        <p role="status">It is being cancelled: what it has taken is finished before it ends.</p>
      )}
      <dl class="receipt" aria-label="Receipt">
        {counts.map(({ label: name, value, isBad }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={isBad === true && value > 0 ? "bad" : ""}>{name === "bytes" ? bytes(value) : count(value)}</dd>
          </div>
        ))}
      </dl>
      {end === "late" && (
        <p class="note">
          The outcome of some events is not known yet; it is looked for over 24 hours.{" "}
          <button type="button" class="inline" onClick={onReload}>
            Look again
          </button>
        </p>
      )}
      {children}
    </JobProgress>
  );
}

const STATES: Readonly<Record<string, "waiting" | "running" | "done" | "failed" | "cancelled">> = {
  queued: "waiting",
  running: "running",
  cancelling: "running",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};
