/** Examples of legal holds in the OpenAPI document. */

/** Bodies of `POST /holds`. */
export const newHolds = {
  subject: {
    summary: "What one customer has done, for a case",
    value: { filter: { exact: { subject: "customer-17" } }, reason: "Case 2026-118" },
  },
  until: {
    summary: "Every event of the tenant, for a time",
    value: { reason: "Audit of 2026", until: "2099-06-30T00:00:00Z" },
  },
};

/** Bodies of `POST /holds/{id}/release`. */
export const holdReleases = { closed: { summary: "The case is closed", value: { reason: "Case 2026-118 is closed" } } };

export const hold = {
  id: "hld_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
  state: "active",
  filter: { exact: { subject: "customer-17" } },
  reason: "Case 2026-118",
  createdBy: "4fQ0v7xYbN2k",
  createdAt: "2026-11-28T09:30:00.000Z",
} as const;

export const releasedHold = {
  ...hold,
  state: "released",
  releasedAt: "2026-12-20T08:00:00.000Z",
  releasedBy: "4fQ0v7xYbN2k",
  releaseReason: "Case 2026-118 is closed",
} as const;
