/** Examples of restores in the OpenAPI document. */

const MANIFEST = {
  key: "archive/30d/2026-10-21/acme/1/_manifest.json",
  sha256: "9f2c6f0d6f4b4c1f8e6d7f3a5b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c",
};

/** Bodies of `POST /restores`. */
export const newRestores = {
  plan: {
    summary: "What does the archive have of a day?",
    value: { from: "2026-10-21", into: "beside", dryRun: true },
  },
  beside: {
    summary: "The orders of three days, to be read",
    value: {
      from: "2026-10-21",
      to: "2026-10-23",
      filter: { exact: { type: "com.example.order.placed" } },
      into: "beside",
    },
  },
  live: {
    summary: "A manifest, among the live events for 400 days",
    value: { manifests: [MANIFEST.key], into: "live", retention: "400d" },
  },
};

/** A restore under way. */
export const restore = {
  id: "rst_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
  state: "running",
  into: "live",
  retention: "400d",
  planned: 250_000,
  read: 100_000,
  matched: 100_000,
  restored: 99_990,
  present: 10,
  conflicts: 0,
  refused: 0,
  keyId: "4fQ0v7xYbN2k",
  createdAt: "2026-11-28T09:30:00.000Z",
  progressAt: "2026-11-28T09:30:31.000Z",
  manifests: [MANIFEST],
  request: { manifests: [MANIFEST.key] },
} as const;

/** The same when it is done. */
export const doneRestore = {
  ...restore,
  state: "done",
  read: 250_000,
  matched: 250_000,
  restored: 249_990,
  progressAt: "2026-11-28T09:31:20.000Z",
  finishedAt: "2026-11-28T09:31:20.000Z",
} as const;

export const restorePlan = {
  state: "planned",
  planned: 250_000,
  bytes: 21_388_011,
  manifests: [{ ...MANIFEST, rows: 250_000, known: true }],
} as const;

export const archivedEvent = {
  specversion: "1.0",
  id: "o-1001",
  source: "/shop/checkout",
  type: "com.example.order.placed",
  time: "2026-10-21T09:30:00.000Z",
  tenant: "acme",
  receivedat: "2026-10-21T09:30:00.123Z",
  data: { orderId: "1001", total: 12.5, currency: "EUR" },
  storedat: "2026-10-21T09:30:00.761204Z",
};
