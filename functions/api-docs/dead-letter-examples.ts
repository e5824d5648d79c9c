/** Examples of dead letters in the OpenAPI document. */

export const deadLetter = {
  id: "dl_7f3a9c0e5b1d48268e4f0a6c2b9d7e15",
  reason: "constraint_violation",
  sqlState: "23514",
  message: 'ERROR: new row for relation "events_20261128" violates check constraint "positive_total"',
  tenant: "acme",
  type: "com.example.order.placed",
  source: "/shop",
  eventId: "order-17",
  receivedAt: "2026-11-28T09:30:00.000Z",
  openedAt: "2026-11-28T09:30:02.123456Z",
  state: "open",
  attempts: 1,
  replays: 1,
};

const { sqlState, reason } = deadLetter;

export const deadLetterGroup = {
  reason,
  sqlState,
  message: "ERROR: new row for relation ? violates check constraint ?",
  count: 120,
  share: 0.96,
  firstSeen: "2026-11-28T09:12:44.010Z",
  lastSeen: "2026-11-28T09:30:02.123Z",
  types: [deadLetter.type],
  sample: deadLetter,
};

export const wholeDeadLetter = {
  ...deadLetter,
  isEvent: true,
  body: '{"version":1,"tenant":"acme","receivedAt":"2026-11-28T09:30:00.000Z","events":[{"id":"order-17","source":"/shop","type":"com.example.order.placed","time":"2026-11-28T09:29:59Z","data":{"total":-1}}]}',
  history: [
    {
      number: 1,
      replayId: "rpl_019aa9d5c0f37a7c8f1d2b3a4c5d6e7f",
      takenAt: "2026-11-28T09:29:58.000Z",
      sentAt: "2026-11-28T09:29:58.200Z",
      outcome: "dead_lettered",
      reason,
      sqlState,
      message: deadLetter.message,
    },
  ],
};
