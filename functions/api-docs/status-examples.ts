/** Examples of the state of an installation in the OpenAPI document. */

const empty = { visible: 0, inFlight: 0, delayed: 0 };

export const status = {
  at: "2026-11-28T09:31:02.120Z",
  stage: "prod",
  version: "0.1.0",
  build: "5f0c9a7be1d2",
  tenant: "*",
  queues: {
    at: "2026-11-28T09:31:02.120Z",
    events: { visible: 12, inFlight: 3, delayed: 0 },
    deadLetters: empty,
    wakeUps: { visible: 0, inFlight: 1, delayed: 1 },
    status: { visible: 0, inFlight: 0, delayed: 1 },
  },
};
