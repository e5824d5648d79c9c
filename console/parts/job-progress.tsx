import type { ComponentChildren } from "preact";
import { count, duration, percent, time } from "./format.ts";

type Props = {
  /** As `Replay of 2,000 dead letters`. */
  label: string;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  done: number;
  /** Undefined where nobody knows yet. */
  total?: number | undefined;
  startedAt?: string | undefined;
  finishedAt?: string | undefined;
  /** The cause of its failure. */
  reason?: string | undefined;
  onCancel?: (() => void) | undefined;
  children?: ComponentChildren;
};

/** The progress of a job, and the way to stop it. Assistive technology hears of the end, not of each step. */
export function JobProgress({ label, state, done, total, startedAt, finishedAt, reason, onCancel, children }: Props) {
  const isOver = state === "done" || state === "failed" || state === "cancelled";
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  const rate = isOver ? undefined : rateOf(done, startedAt);
  return (
    <section class={`job ${state}`} aria-label={label}>
      <header>
        <b>{label}</b>
        <span class={`badge ${BADGES[state]}`} role="status">
          {state}
        </span>
        {!isOver && onCancel !== undefined && (
          <button type="button" class="small" onClick={onCancel}>
            Cancel
          </button>
        )}
      </header>
      <progress aria-label={label} {...(isOver || share !== undefined ? { value: share ?? 1, max: 1 } : {})} />
      <p class="quiet">
        {count(done)}
        {total !== undefined && ` of ${count(total)}`}
        {share !== undefined && !isOver && ` · ${percent(share)}`}
        {rate !== undefined && ` · ${count(Math.round(rate))} a second`}
        {rate !== undefined &&
          rate > 0 &&
          total !== undefined &&
          done < total &&
          ` · about ${duration(((total - done) / rate) * 1_000)} left`}
        {finishedAt !== undefined && ` · ended ${time(finishedAt)}`}
      </p>
      {reason !== undefined && <p class="bad">{reason}</p>}
      {children}
    </section>
  );
}

const BADGES = { waiting: "", running: "accent", done: "good", failed: "bad", cancelled: "warn" } as const;

function rateOf(done: number, startedAt: string | undefined): number | undefined {
  if (startedAt === undefined) return undefined;
  const seconds = (Date.now() - Date.parse(startedAt)) / 1_000;
  return seconds > 1 ? done / seconds : undefined;
}
