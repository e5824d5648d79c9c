/** Examples of replays in the OpenAPI document. */

const deadLetterId = "dl_4f1c0e6a9b7d4c52a8f3e1d0c9b8a7f6";

/** Bodies of `POST /replays`. */
export const newReplays = {
  plan: {
    summary: "How many would it be?",
    value: { filter: { exact: { type: "com.example.order.placed" } }, reason: "not_storable", dryRun: true },
  },
  edits: {
    summary: "An event as it should have been",
    value: {
      edits: [{ id: deadLetterId, event: { type: "com.example.note", data: { text: "without U+0000" } } }],
      dryRun: true,
    },
  },
  slow: { summary: "Those of one cause, ten a second", value: { sqlState: ["22P05"], rate: 10, limit: 1_000 } },
};

/** Bodies of `POST /dead-letters/discard`. */
export const newDiscards = {
  old: {
    summary: "Those that were open before the summer",
    value: { openedTo: "2026-06-01T00:00:00Z", note: "The device was broken, and its readings are worthless." },
  },
};

/** A replay under way. */
export const replay = {
  id: "rpl_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
  action: "replay",
  tenant: "acme",
  state: "running",
  planned: 1_200,
  taken: 400,
  sent: 300,
  stored: 0,
  deadLettered: 0,
  keyId: "4fQ0v7xYbN2k",
  createdAt: "2026-11-28T09:30:00.000Z",
  progressAt: "2026-11-28T09:30:31.000Z",
  request: { sqlState: ["22P05"], rate: 10, limit: 1_000, maxReplays: 5 },
} as const;

/** The same when it is done. */
export const doneReplay = {
  ...replay,
  state: "done",
  planned: 1_000,
  taken: 1_000,
  sent: 1_000,
  stored: 998,
  deadLettered: 2,
  finishedAt: "2026-11-28T09:31:40.000Z",
} as const;

export const discard = {
  ...replay,
  action: "discard",
  request: { openedTo: "2026-06-01T00:00:00.000000Z", note: newDiscards.old.value.note },
} as const;

export const replayPlan = {
  state: "planned",
  planned: 1,
  until: "2026-11-21T09:30:05.482117Z",
  sent: 0,
  stored: 0,
  deadLettered: 0,
  sample: [
    {
      id: deadLetterId,
      reason: "not_storable",
      sqlState: "22P05",
      message: "ERROR: unsupported Unicode escape sequence",
      tenant: "acme",
      type: "com.example.note",
      source: "/notes",
      eventId: "note-7",
      receivedAt: "2026-11-28T09:00:00.000Z",
      openedAt: "2026-11-28T09:00:02.000Z",
      state: "open",
      attempts: 1,
      replays: 0,
    },
  ],
} as const;
