import { describe, expect, it } from "vitest";
import type { QueueDepths } from "../../../functions/core/queue-depths.ts";
import { statusAnswer } from "../../../functions/core/status-answers.ts";
import { createStatus } from "../../../functions/status/status.ts";

const NOW = new Date("2026-11-30T09:30:00.000Z");
const installation = { stage: "test", version: "1.2.3", build: "abc" };
const depth = { visible: 3, inFlight: 2, delayed: 1 };
const depths = { events: depth, deadLetters: depth, wakeUps: depth, status: depth };

const statusOf = (queues: QueueDepths) => createStatus({ queues, clock: () => NOW, installation });

describe("the state of an installation", () => {
  it("the state names the stage and the build, and has the depth of each queue with its time", async () => {
    const answer = await statusOf({ read: () => Promise.resolve(depths) }).read("acme", 0);

    expect(statusAnswer.parse(answer)).toEqual({
      ...installation,
      at: NOW.toISOString(),
      tenant: "acme",
      queues: { at: NOW.toISOString(), ...depths },
    });
  });

  it("a queue that cannot be read fails no other part", async () => {
    const answer = await statusOf({ read: () => Promise.reject(new Error("no answer")) }).read("acme", 0);

    expect(statusAnswer.parse(answer)).toMatchObject({ stage: "test", queues: { unavailable: "SQS did not answer." } });
  });
});
