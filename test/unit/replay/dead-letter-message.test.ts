import { describe, expect, it } from "vitest";
import { eventKey, toDeadLetterMessage } from "../../../functions/replay/dead-letter-message.ts";
import { messageOf, rawMessage, readMessage, SENT_AT } from "./support.ts";

describe("a dead-letter message", () => {
  it("has the facts of its attributes when the consumer sent it", () => {
    const attributes = {
      reason: "not_storable",
      sqlState: "22P05",
      detail: "unsupported",
      tenant: "acme",
      attempts: "3",
      replays: "2",
      deadLetterId: `dl_${"7".repeat(32)}`,
    };

    const message = toDeadLetterMessage(rawMessage('{"events":[{"id":"a","source":"/s","type":"t"}]}', attributes, 99));

    expect(message).toMatchObject({ ...attributes, attempts: 3, replays: 2, sentAt: SENT_AT, messageId: "m-1" });
    expect(message.events).toMatchObject([{ id: "a", source: "/s", type: "t" }]);
  });

  it("has the facts of its body when SQS moved it, and counts the receives before a requeue too", () => {
    const sentAt = Date.parse("2026-11-19T08:00:00.000Z");
    const body = JSON.stringify({
      tenant: "acme",
      receivedAt: "2026-11-19T07:59:59.000Z",
      events: [{ id: "a", source: "/s", type: "t" }],
    });

    const message = toDeadLetterMessage(
      rawMessage(body, { earlierAttempts: "12", replays: "1", firstSentAt: String(sentAt) }, 31),
    );

    expect(message).toMatchObject({
      reason: "max_receives_exceeded",
      tenant: "acme",
      receivedAt: "2026-11-19T07:59:59.000Z",
      sentAt: "2026-11-19T08:00:00.000Z",
      attempts: 43,
      replays: 1,
    });
  });

  it.each([
    ["", undefined],
    ["{", undefined],
    ["[]", undefined],
    ["null", undefined],
    ["12345678901234567890", undefined],
    ['{"tenant":"acme","events":[]}', undefined],
    ['{"tenant":"acme","events":[{"id":1}]}', undefined],
    ['{"tenant":7,"events":[{"id":"a","source":"/s","type":"t"}]}', "a"],
    ['{"version":99,"events":[{"id":"a","source":"/s","type":"t"}]}', "a"],
  ])("has one event for the body %j, with the id %j", (body, id) => {
    const message = readMessage(body, { replays: "many", attempts: "-1" });

    expect(message.events.map((event) => event.id)).toEqual([id]);
    expect(message).toMatchObject({ tenant: undefined, replays: 0, receivedAt: SENT_AT });
  });
});

describe("the key of an event", () => {
  it("depends on tenant, source and id, and on nothing else", () => {
    const [a, b] = messageOf([1, 2]).events;
    const [other] = messageOf([3]).events;
    if (a === undefined || b === undefined || other === undefined) throw new Error("no events");

    const key = eventKey(messageOf([1]), a);

    expect(key).toMatch(/^[\w-]{16}$/);
    expect(eventKey(messageOf([1], { replays: "4" }), other)).toBe(key);
    expect(eventKey(messageOf([1]), b)).not.toBe(key);
    expect(eventKey(messageOf([1], { tenant: "other" }), a)).not.toBe(key);
  });

  it("depends on the body of an unreadable message", () => {
    const keyOf = (body: string) => {
      const message = readMessage(body);
      return message.events.map((event) => eventKey(message, event));
    };

    expect(keyOf("x")).toEqual(keyOf("x"));
    expect(keyOf("x")).not.toEqual(keyOf("y"));
  });
});
