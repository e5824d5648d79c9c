import { describe, expect, it } from "vitest";
import { eventKey, toDeadLetter } from "../../../scripts/dead-letters/dead-letter.ts";
import { letterOf, message, SENT_AT } from "./support.ts";

describe("a dead letter", () => {
  it("of the consumer says what its attributes say", () => {
    const attributes = {
      reason: "not_storable",
      sqlState: "22P05",
      detail: "unsupported",
      tenant: "acme",
      receivedAt: "2026-11-20T10:00:00.000Z",
      attempts: "3",
      replays: "2",
    };

    const letter = toDeadLetter(message('{"events":[{"id":"a","source":"/s","type":"t"}]}', attributes, 99));

    expect(letter).toMatchObject({ ...attributes, attempts: 3, replays: 2, sentAt: SENT_AT, messageId: "m-1" });
    expect(letter.events).toMatchObject([{ id: "a", source: "/s", type: "t" }]);
  });

  it("that SQS moved says what stands in its body and what SQS counted, over all its copies", () => {
    const sentAt = Date.parse("2026-11-19T08:00:00.000Z");
    const body = JSON.stringify({
      tenant: "acme",
      receivedAt: "2026-11-19T07:59:59.000Z",
      events: [{ id: "a", source: "/s", type: "t" }],
    });

    const letter = toDeadLetter(
      message(body, { earlierAttempts: "12", replays: "1", firstSentAt: String(sentAt) }, 31),
    );

    expect(letter).toMatchObject({
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
  ])("with the body %j has one event, whose id is %j, whatever else is wrong with it", (body, id) => {
    const letter = toDeadLetter(message(body, { replays: "many", attempts: "-1", receivedAt: "then" }));

    expect(letter.events.map((event) => event.id)).toEqual([id]);
    expect(letter).toMatchObject({ tenant: undefined, replays: 0, receivedAt: SENT_AT });
  });
});

describe("the key of an event", () => {
  it("is that of its tenant, source and id, and of nothing else", () => {
    const [a, b] = letterOf([1, 2]).events;
    const [other] = letterOf([3]).events;
    if (a === undefined || b === undefined || other === undefined) throw new Error("no events");

    const key = eventKey(letterOf([1]), a);

    expect(key).toMatch(/^[\w-]{16}$/);
    expect(eventKey(letterOf([1], { replays: "4" }), other)).toBe(key);
    expect(eventKey(letterOf([1]), b)).not.toBe(key);
    expect(eventKey(letterOf([1], { tenant: "other" }), a)).not.toBe(key);
  });

  it("of what cannot be read is that of its body", () => {
    const keyOf = (body: string) => {
      const letter = toDeadLetter(message(body));
      return letter.events.map((event) => eventKey(letter, event));
    };

    expect(keyOf("x")).toEqual(keyOf("x"));
    expect(keyOf("x")).not.toEqual(keyOf("y"));
  });
});
