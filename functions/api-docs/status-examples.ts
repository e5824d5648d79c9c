/** Examples of the state of an installation in the OpenAPI document. */

const empty = { visible: 0, inFlight: 0, delayed: 0 };
const takenAt = "2026-11-28T09:30:12.015Z";
const none = { copies: 0, conflicts: 0, open: 0, replayed: 0, discarded: 0 };

export const status = {
  at: "2026-11-28T09:31:02.120Z",
  stage: "prod",
  version: "0.1.0",
  build: "5f0c9a7be1d2",
  tenant: "*",
  ledger: {
    takenAt,
    accepted: 1_250,
    stored: 1_200,
    copies: 20,
    conflicts: 1,
    open: 3,
    replayed: 0,
    discarded: 2,
    inFlight: 24,
    difference: 24,
    tenants: [
      {
        tenant: "acme",
        accepted: 1_000,
        stored: 970,
        copies: 20,
        conflicts: 1,
        open: 3,
        replayed: 0,
        discarded: 2,
        inFlight: 4,
        difference: 4,
      },
      { tenant: "other", ...none, accepted: 250, stored: 230, inFlight: 20, difference: 20 },
    ],
    moreTenants: 0,
  },
  queues: {
    at: "2026-11-28T09:31:02.120Z",
    events: { visible: 12, inFlight: 3, delayed: 0 },
    deadLetters: empty,
    wakeUps: { visible: 0, inFlight: 1, delayed: 1 },
    status: { visible: 0, inFlight: 0, delayed: 1 },
  },
  consumer: { lagMs: 1_420, lagAt: "2026-11-28T09:31:01.350Z", lastStoredAt: "2026-11-28T09:31:01.360Z" },
  subscriptions: { takenAt, active: 4, disabled: 1, pending: 17 },
  database: { state: "active", usedAt: "2026-11-28T09:31:01.360Z" },
};

export const history = {
  tenant: "acme",
  span: "1h",
  stepSeconds: 60,
  takenAt,
  points: [
    { at: "2026-11-28T09:30:00.000Z", accepted: 120, stored: 118, refused: 2, open: 3, lagMs: 1_420 },
    { at: "2026-11-28T09:31:00.000Z", accepted: 4, stored: 0, refused: 0, open: 3 },
  ],
};

export const alarms = {
  at: "2026-11-28T09:31:02.120Z",
  counts: { ok: 44, alarm: 1, insufficientData: 0 },
  alarms: [
    {
      name: "Sluice-prod-DrainOpenAlarmA1B2C3D4-QJ0Q3X1Z9K2M",
      state: "ALARM",
      since: "2026-11-28T09:12:40.003Z",
      description: "Dead letters are open.",
      reason:
        "Threshold Crossed: 1 datapoint [3.0 (28/11/26 09:11:00)] was greater than or equal to the threshold (1.0).",
      runbook: "docs/runbook.md#dead-letters",
    },
  ],
};

export const refusals = {
  groups: [
    {
      tenant: "acme",
      day: "2026-11-28",
      code: "required",
      type: "com.example.order.placed",
      pointer: "/data/customerId",
      count: 412,
      first: "2026-11-28T08:02:11.004Z",
      last: "2026-11-28T09:30:58.771Z",
      samples: [
        {
          at: "2026-11-28T09:30:58.771Z",
          keyId: "4fQ0v7xYbN2k",
          requestId: "5c1b6f0e-8f5e-4a58-9a52-0d7a9f1c2b3d",
          userAgent: "checkout/3.4.0",
          id: "order-77",
          source: "/checkout/eu",
          members: { orderId: "string(8)", customerID: "string(5)", currency: "string(3)", items: "array(2)" },
        },
      ],
    },
  ],
  next: null,
};
