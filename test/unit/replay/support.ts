import type { AccessReader, KeyRecord, TenantRecord } from "../../../functions/core/access.ts";
import { DatabaseError } from "../../../functions/core/errors.ts";
import type { OutgoingMessage } from "../../../functions/core/queue-message.ts";
import type { ReplayJob, ReplayStep, ReplayWork } from "../../../functions/core/replay-job.ts";
import { createWorkCheck } from "../../../functions/core/work-allowed.ts";
import { createReplayStep } from "../../../functions/replay/step.ts";

export const NOW = "2026-11-29T10:00:00.000Z";
export const JOB_ID = `rpl_${"0".repeat(32)}`;

const key: KeyRecord = {
  id: "keyOfReplay0",
  hash: "",
  tenant: "acme",
  role: "operator",
  createdBy: "deployer",
  createdAt: NOW,
};
const tenant: TenantRecord = { tenant: "acme", state: "active", createdAt: NOW };

export const jobSample = (changes: Partial<ReplayJob> = {}): ReplayJob => ({
  id: JOB_ID,
  action: "replay",
  tenant: "acme",
  state: "running",
  request: { maxReplays: 5 },
  keyId: key.id,
  allowed: { types: undefined, sources: undefined },
  planned: 0,
  taken: 0,
  sent: 0,
  stored: 0,
  deadLettered: 0,
  isCancelling: false,
  reason: undefined,
  detail: undefined,
  createdAt: NOW,
  progressAt: NOW,
  finishedAt: undefined,
  ...changes,
});

/** A failure of the machine at a place: nothing behind it happens. */
export class Killed extends Error {}

export const outage = () =>
  new DatabaseError({ disposition: "retry", reason: "database_unavailable", detail: "it is down" });
const refusal = () => new DatabaseError({ disposition: "dead-letter", reason: "not_storable", detail: "no" });

export type Place =
  | "hold"
  | "take"
  | "took"
  | "send"
  | "sent"
  | "mark"
  | "marked"
  | "release"
  | "end"
  | "ended"
  | "step";

type Row = { id: string; state: "open" | "taken" | "sent" | "discarded"; number: number };

/** The step over dead letters in memory, with the contract of the table, a clock that a test moves, and a queue. */
export function stepUnderTest(
  ids: readonly string[],
  {
    job: changes = {},
    at = () => undefined,
    takeMost = 3,
    pageOf = 2,
  }: {
    job?: Partial<ReplayJob>;
    at?: (place: Place) => void;
    takeMost?: number;
    pageOf?: number;
  } = {},
) {
  let job = jobSample({ planned: ids.length, ...changes });
  const rows: Row[] = ids.map((id) => ({ id, state: "open", number: 0 }));
  let lease: { holder: string; until: number } | undefined;
  let now = Date.parse(NOW);
  const clock = () => new Date(now);
  const access: { key: KeyRecord | undefined; tenant: TenantRecord | undefined } = { key: { ...key }, tenant };
  const reader: AccessReader = { key: async () => access.key, tenant: async () => access.tenant };
  const world = { confirms: true, accepts: true, refusesTake: false, unsettled: 0 };
  const enqueued: { to: string | undefined; message: OutgoingMessage; at: number }[] = [];
  const messages: { step: ReplayStep; seconds: number }[] = [];
  const unsent = () => rows.filter(({ state }) => state === "taken");

  const work: ReplayWork = {
    async hold(id, holder, seconds) {
      at("hold");
      if (id !== job.id) return { kind: "absent" };
      if (job.state !== "running") return { kind: "over", job: { ...job } };
      if (lease !== undefined && lease.until > now)
        return { kind: "leased", seconds: Math.ceil((lease.until - now) / 1_000) };
      lease = { holder, until: now + seconds * 1_000 };
      return { kind: "held", job: structuredClone(job) };
    },
    async take({ action }, { holder, most }) {
      at("take");
      if (world.refusesTake) throw refusal();
      if (lease?.holder !== holder) return { kind: "lost" };
      if (job.isCancelling) return { kind: "cancelled" };
      const left = (job.request.limit ?? Number.POSITIVE_INFINITY) - job.taken;
      const open = rows.filter(({ state }) => state === "open").slice(0, Math.min(most, takeMost, left));
      for (const row of open) {
        row.state = action === "discard" ? "discarded" : "taken";
        row.number += 1;
      }
      job.taken += open.length;
      if (action === "discard") job.sent += open.length;
      if (open.length > 0) job.progressAt = clock().toISOString();
      at("took");
      const isAtEnd = rows.every(({ state }) => state !== "open") || job.taken === job.request.limit;
      return { kind: "taken", taken: open.length, isAtEnd };
    },
    readUnsent: async (_id, after = "") =>
      unsent()
        .filter(({ id }) => id > after)
        .slice(0, pageOf)
        .map(({ id, number }) => ({ id, number, tenant: "acme", body: `body of ${id}` })),
    async markSent(_id, deadLetterIds) {
      at("mark");
      for (const row of rows) {
        if (!deadLetterIds.includes(row.id) || row.state !== "taken") continue;
        row.state = "sent";
        job.sent += 1;
        job.progressAt = clock().toISOString();
      }
      at("marked");
    },
    async release() {
      at("release");
      lease = undefined;
    },
    async end(_id, { state, reason, detail, givesBack }) {
      at("end");
      if (givesBack === true) for (const row of unsent()) row.state = "open";
      if (unsent().length > 0) return { ...job };
      job = { ...job, state, reason, detail, finishedAt: clock().toISOString() };
      lease = undefined;
      at("ended");
      return { ...job };
    },
    countOpen: async () => rows.filter(({ state }) => state === "open").length,
    settle: async () => ({ job: { ...job }, unsettled: world.unsettled }),
  };
  const step = createReplayStep({
    work,
    steps: {
      send: async (sent, seconds) => {
        at("step");
        if (!world.confirms) return false;
        messages.push({ step: JSON.parse(JSON.stringify(sent)) as ReplayStep, seconds });
        return true;
      },
    },
    queueOf: (to) => ({
      send: async (all) => {
        at("send");
        const outcomes = all.map((message) => {
          if (!world.accepts) return "failed" as const;
          enqueued.push({ to, message, at: now });
          return "enqueued" as const;
        });
        at("sent");
        return outcomes;
      },
    }),
    whyEnded: createWorkCheck({ reader, clock }),
    clock,
    wait: async (milliseconds) => void (now += milliseconds),
  });
  const run = (message: ReplayStep = { id: JOB_ID }, messageId = "m-1") => step(message, { messageId }, now + 60_000);
  return {
    rows,
    world,
    access,
    enqueued,
    messages,
    run,
    job: () => job,
    change: (more: Partial<ReplayJob>) => void (job = { ...job, ...more }),
    pass: (milliseconds: number) => void (now += milliseconds),
    now: () => now,
    /** Delivers every message until there is none, as the queue does; a message of a killed step comes again. */
    async deliver(first: ReplayStep = { id: JOB_ID }): Promise<string[]> {
      const kinds: string[] = [];
      const pending = [{ step: first, seconds: 0 }];
      for (let number = 0; pending.length > 0; number++) {
        const next = pending.shift();
        if (next === undefined || number > 200) break;
        now += next.seconds * 1_000;
        messages.length = 0;
        try {
          kinds.push((await run(next.step, `m-${number}`)).kind);
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          kinds.push("killed");
          now += 360_000;
          pending.push({ step: next.step, seconds: 0 });
        }
        pending.push(...messages);
      }
      return kinds;
    },
    /** The number of copies of each dead letter that were sent. */
    copies: () => ids.map((id) => enqueued.filter(({ message }) => message.attributes?.deadLetterId === id).length),
  };
}
