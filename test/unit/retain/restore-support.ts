import type { AccessReader, KeyRecord, TenantRecord } from "../../../functions/core/access.ts";
import type { ArchiveFiles } from "../../../functions/core/archive-files.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { RestoreJob, RestoreStep, RestoreWork } from "../../../functions/core/restore-job.ts";
import { createWorkCheck } from "../../../functions/core/work-allowed.ts";
import { createRestoreStep } from "../../../functions/retain/restore-step.ts";

export const NOW = "2026-12-01T10:00:00.000Z";
export const RESTORE = `rst_${"0".repeat(32)}`;

const key: KeyRecord = {
  id: "keyOfRestore",
  hash: "",
  tenant: "acme",
  role: "admin",
  createdBy: "deployer",
  createdAt: NOW,
};
const tenant: TenantRecord = { tenant: "acme", state: "active", createdAt: NOW };

export const restoreSample = (changes: Partial<RestoreJob> = {}): RestoreJob => ({
  id: RESTORE,
  tenant: "acme",
  state: "running",
  into: "live",
  retention: 0,
  request: {},
  manifests: [],
  keyId: key.id,
  planned: 0,
  manifestAt: 0,
  partAt: 0,
  lineAt: 0,
  read: 0,
  matched: 0,
  restored: 0,
  present: 0,
  conflicts: 0,
  refused: 0,
  isCancelling: false,
  reason: undefined,
  detail: undefined,
  createdAt: NOW,
  progressAt: NOW,
  finishedAt: undefined,
  droppedAt: undefined,
  ...changes,
});

export class Killed extends Error {}

export const outage = () =>
  new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "it is down" });

/** The step over events in memory, with the contract of the table, and a queue. Lines that have `bad` are refused. */
export function restoreUnderTest(
  files: ArchiveFiles,
  { job: changes = {}, at = () => undefined }: { job?: Partial<RestoreJob>; at?: (place: string) => void } = {},
) {
  let job = restoreSample(changes);
  let lease: string | undefined;
  const live = new Set<string>();
  const days: string[] = [];
  const sent: RestoreStep[] = [];
  const access: { key: KeyRecord | undefined } = { key };
  const reader: AccessReader = { key: async () => access.key, tenant: async () => tenant };
  const clock = { now: Date.parse(NOW) };
  const isHeldBy = (holder: string) => job.state === "running" && lease === holder;

  const work: RestoreWork = {
    async hold(id, holder) {
      at("hold");
      if (id !== job.id) return { kind: "absent" };
      if (job.state !== "running") return { kind: "over", job };
      if (lease !== undefined && lease !== holder) return { kind: "leased", seconds: 30 };
      lease = holder;
      return { kind: "held", job: structuredClone(job) };
    },
    ensureDay: async (retention, day) => void days.push(`${retention} ${day}`),
    async store(_id, holder, { lines, read, next, refused }) {
      at("store");
      if (!isHeldBy(holder)) return undefined;
      if (job.isCancelling) return { ...structuredClone(job), manifests: [], request: {} };
      if (lines.some((line) => line.includes("bad"))) {
        throw new DatabaseError({
          disposition: "dead-letter",
          reason: "not_storable",
          sqlState: "22P02",
          detail: "no",
        });
      }
      const before = live.size;
      for (const line of lines) live.add(line);
      const added = live.size - before;
      const failed = refused === undefined ? 0 : 1;
      job = {
        ...job,
        ...next,
        read: job.read + read,
        matched: job.matched + lines.length + failed,
        restored: job.restored + added,
        present: job.present + lines.length - added,
        refused: job.refused + failed,
        detail: refused ?? job.detail,
      };
      at("stored");
      return { ...structuredClone(job), manifests: [], request: {} };
    },
    release: async (_id, holder) => {
      at("release");
      if (lease === holder) lease = undefined;
    },
    async end(_id, holder, { state, reason, detail }) {
      at("end");
      if (!isHeldBy(holder)) return undefined;
      job = { ...job, state, reason, detail: detail ?? job.detail, finishedAt: NOW };
      at("ended");
      return structuredClone(job);
    },
  };
  const run = createRestoreStep({
    work,
    files,
    steps: {
      send: async (step) => {
        at("send");
        sent.push(step);
        return true;
      },
    },
    whyEnded: createWorkCheck({ reader, clock: () => new Date(clock.now) }),
    clock: () => new Date(clock.now),
  });
  return {
    live,
    days,
    sent,
    access,
    clock,
    work,
    job: () => job,
    change: (more: Partial<RestoreJob>) => (job = { ...job, ...more }),
    expireLease: () => (lease = undefined),
    step: (message: RestoreStep = { restore: RESTORE }, messageId = "m-1", seconds = 60) =>
      run(message, { messageId }, clock.now + seconds * 1_000),
  };
}
