/** Examples of erasures in the OpenAPI document. */

/** Bodies of `POST /erasures`. */
export const newErasures = {
  plan: {
    summary: "How much is there of a customer?",
    value: { subject: "customer-17", reason: "Request 4711 of the data protection officer", dryRun: true },
  },
  subject: {
    summary: "Everything of a customer",
    value: { subject: "customer-17", reason: "Request 4711 of the data protection officer" },
  },
  ids: {
    summary: "Two events by their keys",
    value: {
      ids: [{ source: "/shop/checkout", id: "o-1001" }, "o-1002"],
      reason: "Sent with card numbers, incident 12",
      suppress: "forever",
    },
  },
  filter: {
    summary: "Events with a value in their data",
    value: { filter: { data: { customer: { email: ["mary@example.com"] } } }, reason: "Request 4712" },
  },
};

const COUNTS = { events: 10_412, restored: 0, deadLetters: 3, deliveries: 9_802 };

export const erasurePlan = {
  state: "planned",
  planned: { ...COUNTS, exports: 4, archive: 31, refusals: 2, complete: true },
} as const;

/** An erasure that has just been asked for. */
export const waitingErasure = {
  id: "ers_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
  state: "waiting",
  by: "subject",
  reason: newErasures.subject.value.reason,
  keyId: "4fQ0v7xYbN2k",
  planned: erasurePlan.planned,
  erased: {},
  createdAt: "2026-11-28T09:30:00.000Z",
  startsAt: "2026-11-28T09:30:10.000Z",
  progressAt: "2026-11-28T09:30:00.000Z",
} as const;

const DONE_AT = "2026-11-28T09:30:42.000Z";
const ERASED = { ...COUNTS, attempts: 9_961, exports: 2, archive: 7, refusals: 0, keys: 10_415 };

/** The same when it is done. */
export const doneErasure = {
  ...waitingErasure,
  state: "done",
  erased: ERASED,
  startsAt: undefined,
  startedAt: "2026-11-28T09:30:10.000Z",
  progressAt: DONE_AT,
  finishedAt: DONE_AT,
  receipt: {
    id: waitingErasure.id,
    by: waitingErasure.keyId,
    at: DONE_AT,
    filterHash: "5f8f0b3a2d1c4e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f",
    counts: ERASED,
    horizonBefore: "48211",
    horizonAfter: "48377",
    rollupDeltas: 10_412,
    backupsExpireAt: "2027-01-02T09:30:42.000Z",
    sha256: "9f2c6f0d6f4b4c1f8e6d7f3a5b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c",
  },
} as const;
