/** Examples of exports in the OpenAPI document. */

/** Bodies of `POST /exports`. */
export const newExports = {
  day: {
    summary: "The orders of a day",
    value: {
      filter: { exact: { type: "com.example.order.placed" } },
      from: "2026-11-21T00:00:00Z",
      to: "2026-11-22T00:00:00Z",
    },
  },
  plan: { summary: "How many would it be?", value: { format: "csv", select: ["id", "data.orderId"], plan: true } },
};

/** An export under way. */
export const exportJob = {
  id: "exp_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
  state: "running",
  format: "ndjson",
  filter: { exact: { type: "com.example.order.placed" } },
  from: "2026-11-21T00:00:00Z",
  to: "2026-11-22T00:00:00Z",
  keyId: "4fQ0v7xYbN2k",
  createdAt: "2026-11-28T09:30:00.000Z",
  progressAt: "2026-11-28T09:30:31.000Z",
  horizon: "48213",
  rows: 250_000,
  scanned: 310_000,
  bytes: 21_388_011,
  parts: 1,
} as const;

const exportFile = {
  name: "part-00001-2.ndjson.gz",
  rows: 250_000,
  bytes: 21_388_011,
  sha256: "9f2c6f0d6f4b4c1f8e6d7f3a5b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c",
  url: "https://files.example.com/part-00001-2.ndjson.gz?X-Amz-Signature=0",
};

/** The same when it is done. */
export const doneExport = {
  ...exportJob,
  state: "done",
  finishedAt: "2026-11-28T09:30:32.000Z",
  filesExpireAt: "2026-12-05T09:30:32.000Z",
  linksExpireAt: "2026-11-28T09:45:40.000Z",
  manifest: { name: "manifest-3.json", url: "https://files.example.com/manifest-3.json?X-Amz-Signature=0" },
  files: [exportFile],
} as const;
