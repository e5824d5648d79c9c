import type { ExportJob, RedeliveryJob, ReplayJob, RestoreJob } from "../../types.ts";

/** A job of any kind, as lists and its progress show it. */
export type JobRow = {
  kind: "replay" | "discard" | "export" | "redelivery" | "restore";
  id: string;
  state: string;
  isFinished: boolean;
  /** The job itself goes on or is looked after: its numbers may still change. */
  isMoving: boolean;
  createdAt: string;
  finishedAt: string | undefined;
  keyId: string;
  /** Of how many; undefined where nobody knows. */
  planned: number | undefined;
  done: number;
  /** The receipt: numbers that add up to what was done. */
  counts: readonly { label: string; value: number; isBad?: boolean }[];
  detail: string | undefined;
};

export function replayRow(job: ReplayJob): JobRow {
  const { action, planned, taken, sent, stored, deadLettered } = job;
  const unknown = sent - stored - deadLettered;
  const isReplay = action === "replay";
  const isFinished = job.state !== "running";
  return {
    ...headOf(job),
    kind: action,
    state: job.cancelling && !isFinished ? "cancelling" : job.state,
    isFinished,
    isMoving: !isFinished || (isReplay && unknown > 0 && job.request?.to === undefined),
    planned,
    done: sent,
    counts: isReplay
      ? [
          { label: "planned", value: planned },
          { label: "taken", value: taken },
          { label: "sent", value: sent },
          { label: "stored", value: stored },
          { label: "came back", value: deadLettered, isBad: true },
          { label: "outcome not known yet", value: unknown },
        ]
      : [
          { label: "planned", value: planned },
          { label: "discarded", value: sent },
        ],
    detail: job.detail ?? job.reason,
  };
}

export function exportRow(job: ExportJob): JobRow {
  const isFinished = job.state !== "queued" && job.state !== "running";
  return {
    ...headOf(job),
    kind: "export",
    state: job.state,
    isFinished,
    isMoving: !isFinished,
    planned: undefined,
    done: job.rows,
    counts: [
      { label: "events", value: job.rows },
      { label: "events read", value: job.scanned },
      { label: "files", value: job.parts },
      { label: "bytes", value: job.bytes },
    ],
    detail: job.detail ?? job.reason,
  };
}

export function redeliveryRow(job: RedeliveryJob): JobRow {
  const { planned, taken, delivered, failed, state } = job;
  const open = taken - delivered - failed;
  const isFinished = state !== "running";
  return {
    ...headOf(job),
    kind: "redelivery",
    state,
    isFinished,
    isMoving: !isFinished || open > 0,
    planned,
    done: delivered + failed,
    counts: [
      { label: "planned", value: planned },
      { label: "taken", value: taken },
      { label: "delivered", value: delivered },
      { label: "failed again", value: failed, isBad: true },
      { label: "under way", value: open },
    ],
    detail: undefined,
  };
}

export function restoreRow(job: RestoreJob): JobRow {
  const { planned, read, restored, present, conflicts, refused, cancelling, state } = job;
  const isFinished = state !== "running";
  return {
    ...headOf(job),
    kind: "restore",
    state: cancelling === true && !isFinished ? "cancelling" : state,
    isFinished,
    isMoving: !isFinished,
    planned,
    done: read,
    counts: [
      { label: "events read", value: read },
      { label: "restored", value: restored },
      { label: "there already", value: present },
      { label: "with other content", value: conflicts, isBad: true },
      { label: "refused", value: refused, isBad: true },
    ],
    detail: job.detail ?? job.reason,
  };
}

function headOf({
  id,
  createdAt,
  finishedAt,
  keyId,
}: {
  id: string;
  createdAt: string;
  finishedAt?: string | undefined;
  keyId: string;
}) {
  return { id, createdAt, finishedAt, keyId };
}
