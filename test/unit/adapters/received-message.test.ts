import { describe, expect, it } from "vitest";
import { toCopy, toReceivedMessage } from "../../../functions/adapters/lambda/received-message.ts";
import { MESSAGE_MAX_BYTES } from "../../../functions/core/limits.ts";
import { record, SENT_AT } from "./sqs-records.ts";

describe("a delivery", () => {
  it("of a new message was tried as often as SQS handed it out", () => {
    expect(toReceivedMessage(record("m1", { receiveCount: 3 }))).toEqual({
      messageId: "m1",
      body: "{}",
      receiptHandle: "receipt of m1",
      receiveCount: 3,
      attempts: 3,
      replays: 0,
      group: "tenant-a",
      sentAt: SENT_AT,
    });
  });

  it("of a copy adds the attempts before it, and is as old as the first", () => {
    const attributes = { failures: "12", replays: "2", sentAt: "1700000000000" };

    expect(toReceivedMessage(record("m1", { receiveCount: 2, attributes }))).toMatchObject({
      receiveCount: 2,
      attempts: 14,
      replays: 2,
      sentAt: 1_700_000_000_000,
    });
  });

  it("of a dead letter that SQS itself moved back counts as replayed once more", () => {
    const attributes = { reason: "not_storable", attempts: "7", replays: "1" };

    expect(toReceivedMessage(record("m1", { attributes }))).toMatchObject({ attempts: 1, replays: 2 });
  });

  it.each(["", "-1", "1e3", "NaN", "9".repeat(16), "0x10"])("ignores a count that is none (%j)", (text) => {
    const attributes = { failures: text, replays: text, sentAt: text };

    expect(toReceivedMessage(record("m1", { attributes }))).toMatchObject({ attempts: 1, replays: 0, sentAt: SENT_AT });
  });

  it("of a message without a group belongs to the default one, like its copy", () => {
    const { MessageGroupId: _, ...attributes } = record("m1").attributes;

    const delivery = toReceivedMessage({ ...record("m1"), attributes });

    expect(delivery.group).toBe("default");
    expect(toCopy(delivery).group).toBe("default");
  });
});

describe("a copy", () => {
  const copyAndReadAgain = (body: string) => {
    const copy = toCopy(toReceivedMessage(record("m1", { receiveCount: 6, body, attributes: { replays: "1" } })));
    return { copy, again: toReceivedMessage(record("m2", { body: copy.body, attributes: copy.attributes ?? {} })) };
  };

  it("is read as the same message, tried once more", () => {
    const { copy, again } = copyAndReadAgain('{"version":1}');

    expect(copy).toEqual({
      body: '{"version":1}',
      group: "tenant-a",
      attributes: { failures: "6", replays: "1", sentAt: String(SENT_AT) },
    });
    expect(again).toMatchObject({ receiveCount: 1, attempts: 7, replays: 1, sentAt: SENT_AT });
  });

  it.each([
    [0, []],
    ["failuresString6".length, ["failures"]],
    ["failuresString6replaysString1".length, ["failures", "replays"]],
    [100, ["failures", "replays", "sentAt"]],
  ])("of a body with %i bytes to spare keeps the attributes that fit", (spare, kept) => {
    const { copy } = copyAndReadAgain("x".repeat(MESSAGE_MAX_BYTES - spare));

    expect(Object.keys(copy.attributes ?? {})).toEqual(kept);
  });
});
