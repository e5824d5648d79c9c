import type { RefusalAnswer } from "../../functions/core/refusal-answers.ts";
import type { RefusalGroup, RefusalSample, StoredRefusals } from "../../functions/core/refusal.ts";

export const REFUSAL_DAY = "2026-11-29";

export const refusalSample = (changes: Partial<RefusalSample> = {}): RefusalSample => ({
  at: `${REFUSAL_DAY}T10:00:00.000Z`,
  keyId: "4fQ0v7xYbN2k",
  requestId: "r-1",
  ...changes,
});

/** A group as ingest sends it. */
export const refusalGroup = (changes: Partial<RefusalGroup> = {}): RefusalGroup => ({
  tenant: "acme",
  day: REFUSAL_DAY,
  code: "required",
  type: "com.example.order.placed",
  pointer: "/data/orderId",
  count: 1,
  events: changes.count ?? 1,
  first: `${REFUSAL_DAY}T10:00:00.000Z`,
  last: `${REFUSAL_DAY}T10:00:00.000Z`,
  samples: [refusalSample()],
  ...changes,
});

/** A group as it is answered. */
export function refusalAnswer(changes: Partial<RefusalGroup> = {}): RefusalAnswer {
  const { events: _events, ...group } = refusalGroup(changes);
  return group;
}

/** A group as it is stored. */
export function storedRefusals(changes: Partial<StoredRefusals> = {}): StoredRefusals {
  const { tenant: _tenant, day: _day, events: _events, ...group } = refusalGroup();
  return { ...group, counted: ["m-1"], ...changes };
}
