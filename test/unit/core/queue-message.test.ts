import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_MAX_BYTES, SEND_BATCH_MAX_BYTES } from "../../../functions/core/queue-limits.ts";
import {
  type AttributeName,
  deadLetterAttributes,
  fitAttributes,
  intoBatchesOfTen,
  intoSendBatches,
  replayAttributes,
  requeueAttributes,
  toCount,
} from "../../../functions/core/queue-message.ts";
import { message } from "../consume/support.ts";

const ROW = `dl_${"0a".repeat(16)}`;

describe("message attributes", () => {
  it("are at most ten of a dead letter, the most that SQS allows", () => {
    const attributes = deadLetterAttributes({
      reason: "r",
      sqlState: "22P05",
      detail: "d",
      tenant: "t",
      type: "t",
      source: "/s",
      id: "1",
      receivedAt: "2026-11-21T09:30:00.000Z",
      attempts: 1,
      replays: 0,
      deadLetterId: ROW,
    });

    expect(Object.keys(attributes)).toHaveLength(10);
    expect(Object.keys(attributes).slice(0, 3)).toEqual(["reason", "replays", "deadLetterId"]);
  });

  it.each<[number, AttributeName[]]>([
    [0, []],
    ["replaysString1".length, ["replays"]],
    [`replaysString1deadLetterIdString${ROW}`.length, ["replays", "deadLetterId"]],
    [150, ["replays", "deadLetterId", "earlierAttempts", "firstSentAt"]],
  ])("beside a body with %i bytes of room are those that fit, in order", (room, kept) => {
    const attributes = requeueAttributes(message("m1", [], { attempts: 6, replays: 1, deadLetterId: ROW }));

    expect(Object.keys(fitAttributes("x".repeat(MESSAGE_MAX_BYTES - room), attributes))).toEqual(kept);
  });

  it("give a count back as it was written", () => {
    fc.assert(
      fc.property(fc.nat(), (count) => {
        expect(toCount(replayAttributes(count, undefined).replays)).toBe(count);
      }),
    );
  });
});

describe("batches of messages to send", () => {
  it("keep the order, have at most ten messages and 1 MiB, and are as few as greedy packing makes", () => {
    const size = fc.oneof(fc.nat(1_000), fc.nat(MESSAGE_MAX_BYTES));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 40 }), (sizes) => {
        const messages = sizes.map((bytes) => ({ body: "x".repeat(bytes) }));

        const batches = intoSendBatches(messages);

        expect(batches.flat()).toEqual(messages);
        const bytesOf = (batch: { body: string }[]) => batch.reduce((sum, { body }) => sum + body.length, 0);
        for (const [index, batch] of batches.entries()) {
          expect(batch.length).toBeLessThanOrEqual(10);
          expect(bytesOf(batch)).toBeLessThanOrEqual(SEND_BATCH_MAX_BYTES);
          const [next] = batches[index + 1] ?? [];
          if (next !== undefined && batch.length < 10)
            expect(bytesOf([...batch, next])).toBeGreaterThan(SEND_BATCH_MAX_BYTES);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("count attributes towards the size", () => {
    const body = "x".repeat(SEND_BATCH_MAX_BYTES / 2);

    expect(intoSendBatches([{ body }, { body }])).toHaveLength(1);
    expect(intoSendBatches([{ body }, { body, attributes: { replays: "1" } }])).toHaveLength(2);
  });

  it.each([
    [0, []],
    [1, [1]],
    [10, [10]],
    [11, [10, 1]],
    [25, [10, 10, 5]],
  ])("of %i received messages have ten each and a rest", (count, lengths) => {
    expect(intoBatchesOfTen(Array.from({ length: count })).map(({ length }) => length)).toEqual(lengths);
  });
});
