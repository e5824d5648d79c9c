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
