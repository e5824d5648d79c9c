import { describe, expect, it } from "vitest";
import { toReceivedMessage } from "../../../functions/adapters/lambda/received-message.ts";
import { requeueAttributes } from "../../../functions/core/queue-message.ts";
import { record, SENT_AT } from "../../support/sqs-records.ts";

describe("a received message", () => {
  it("a received message was tried as often as SQS delivered it", () => {
    expect(toReceivedMessage(record("m1", { receiveCount: 3 }))).toEqual({
      messageId: "m1",
      body: "{}",
      receiptHandle: "receipt of m1",
      receiveCount: 3,
      attempts: 3,
      replays: 0,
      deadLetterId: undefined,
      group: "tenant-a",
      firstSentAt: SENT_AT,
    });
  });

  it("a received message that is a copy adds the attempts before it, and is as old as the first message", () => {
    const attributes = { earlierAttempts: "12", replays: "2", firstSentAt: "1700000000000" };

    expect(toReceivedMessage(record("m1", { receiveCount: 2, attributes }))).toMatchObject({
      receiveCount: 2,
      attempts: 14,
      replays: 2,
      firstSentAt: 1_700_000_000_000,
    });
  });

  it("a message that SQS itself moved back from the dead-letter queue counts as replayed once more", () => {
    const attributes = { reason: "not_storable", attempts: "7", replays: "1" };

    expect(toReceivedMessage(record("m1", { attributes }))).toMatchObject({ attempts: 1, replays: 2 });
  });

  it.each(["", "-1", "1e3", "NaN", "9".repeat(16), "0x10"])("ignores an attribute that is no count (%j)", (text) => {
    const attributes = { earlierAttempts: text, replays: text, firstSentAt: text };

    expect(toReceivedMessage(record("m1", { attributes }))).toMatchObject({
      attempts: 1,
      replays: 0,
      firstSentAt: SENT_AT,
    });
  });

  it("a received message without a group is in the default one", () => {
    const { MessageGroupId: _, ...attributes } = record("m1").attributes;

    expect(toReceivedMessage({ ...record("m1"), attributes }).group).toBe("default");
  });

  it("a message that was requeued is read as the same message, tried once more", () => {
    const deadLetterId = `dl_${"7".repeat(32)}`;
    const first = toReceivedMessage(record("m1", { receiveCount: 6, attributes: { replays: "1", deadLetterId } }));

    const copy = toReceivedMessage(record("m2", { attributes: requeueAttributes(first) }));

    expect(copy).toMatchObject({ receiveCount: 1, attempts: 7, replays: 1, deadLetterId, firstSentAt: SENT_AT });
  });

  it.each(["", "dl_", `dl_${"7".repeat(31)}`, `dl_${"7".repeat(33)}`, `dl_${"G".repeat(32)}`])(
    "ignores a dead letter's row whose name is none (%j)",
    (deadLetterId) => {
      expect(toReceivedMessage(record("m1", { attributes: { deadLetterId } })).deadLetterId).toBeUndefined();
    },
  );
});
