import { zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDeadLetters } from "../../../functions/drain/read-dead-letters.ts";
import { toMessageBody } from "../../../functions/core/message-text.ts";
import { readMessage } from "../../../functions/core/read-message.ts";
import { body, dead } from "./support.ts";

const ROW = `dl_${"7".repeat(32)}`;

describe("a message of the dead-letter queue", () => {
  it("the events of a message that SQS moved keep the trace of their request", () => {
    const head = {
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      eventTraceparent: `00-${"c".repeat(32)}-${"d".repeat(16)}-00`,
    };
    const text = JSON.stringify({ ...(JSON.parse(body([{ id: "a" }, { id: "b" }])) as object), ...head });

    const deadLetters = readDeadLetters(dead(text));

    expect(deadLetters.map((each) => JSON.parse(each.body) as object)).toMatchObject([head, head]);
  });

  it("the events of a compressed message that SQS moved have plain bodies, and so has its only one", () => {
    const many = body(Array.from({ length: 100 }, (_, i) => ({ id: String(i), data: { n: "1" } })));
    const alone = body([{ id: "a", data: { text: "x".repeat(8_000) } }]);

    expect(toMessageBody(many)).not.toBe(many);
    expect(readDeadLetters(dead(toMessageBody(many)))).toEqual(readDeadLetters(dead(many)));
    expect(readDeadLetters(dead(toMessageBody(alone)))).toEqual([expect.objectContaining({ body: alone })]);
  });

  it("a compressed message that is no envelope is kept as its text, and as it came where the database cannot hold that", () => {
    const kept = (text: string | Buffer) => {
      const sent = `zstd,base64:${zstdCompressSync(text).toString("base64")}`;
      const [deadLetter, ...others] = readDeadLetters(dead(sent));
      expect(others).toEqual([]);
      return deadLetter?.body === sent ? "as it came" : deadLetter?.body;
    };

    expect(kept('{"version":9}')).toBe('{"version":9}');
    expect(kept("a\u0000b")).toBe("as it came");
    expect(kept(Buffer.from([0xff]))).toBe("as it came");
    expect(kept(Buffer.alloc(2_000_000))).toBe("as it came");
  });

  it("a dead letter of the consumer has the facts of its attributes and the event of its body, which stays as it is", () => {
    const text = body([{ id: "a", data: { n: "12345678901234567890" } }]).replace(
      '"12345678901234567890"',
      "12345678901234567890.50 ",
    );
    const attributes = { reason: "not_storable", sqlState: "22P05", detail: 'no "x" 7', attempts: "3", replays: "2" };

    expect(readDeadLetters(dead(text, { ...attributes, deadLetterId: ROW }))).toEqual([
      {
        messageId: "m1",
        messageIndex: 0,
        deadLetterId: ROW,
        tenant: "acme",
        type: "com.example.order",
        source: "/shop",
        eventId: "a",
        receivedAt: "2026-11-20T10:00:00.000Z",
        searched: {
          subject: undefined,
          time: "2026-11-20T10:00:00Z",
          dataschema: undefined,
          datacontenttype: undefined,
        },
        reason: "not_storable",
        sqlState: "22P05",
        message: 'no "x" 7',
        messageGroup: "no ? ?",
        attempts: 3,
        replays: 2,
        isEvent: true,
        body: text,
      },
    ]);
  });

  it("a message that SQS moved is split into its events, each in an envelope of its own that the consumer reads", () => {
    const deadLetters = readDeadLetters(
      dead(
        body([{ id: "a" }, { id: "b" }]),
        { earlierAttempts: "12", replays: "1", deadLetterId: ROW },
        { receiveCount: 31 },
      ),
    );

    expect(deadLetters).toMatchObject([
      {
        messageIndex: 0,
        eventId: "a",
        reason: "max_receives_exceeded",
        attempts: 43,
        replays: 1,
        deadLetterId: undefined,
      },
      { messageIndex: 1, eventId: "b", isEvent: true, tenant: "acme", deadLetterId: undefined },
    ]);
    for (const [index, deadLetter] of deadLetters.entries()) {
      // Of its own event, and of no other of the message.
      expect(Object.keys(JSON.parse(deadLetter.body) as object)).toEqual(["version", "tenant", "receivedAt", "events"]);
      expect(deadLetter.body.length).toBeLessThan(body([{ id: "a" }]).length + 1);
      expect(readMessage(deadLetter.body)).toMatchObject({
        kind: "readable",
        head: { tenant: "acme", receivedAt: "2026-11-20T10:00:00.000Z" },
        events: [{ event: { id: "ab"[index] } }],
        unreadable: [],
      });
    }
  });

  it("each event of a message keeps its number, in its row and in its body", () => {
    const numbered = body([{ id: "a" }, { id: "b" }]).replace(
      '"events"',
      '"producer":"0mi2x0000aaaaaaaaaaaa","sequence":3,"events"',
    );
    const text = numbered.replace("]}", ",Infinity]}");

    const deadLetters = readDeadLetters(dead(text));

    const numbers = [3, 4, 5].map((sequence) => ({ producer: "0mi2x0000aaaaaaaaaaaa", sequence }));
    expect(deadLetters.map(({ origin }) => origin)).toEqual(numbers);
    for (const [index, each] of deadLetters.entries())
      expect(each.body).toContain(`"producer":"0mi2x0000aaaaaaaaaaaa","sequence":${numbers[index]?.sequence}`);
    expect(readDeadLetters(dead("no message"))).toMatchObject([{ origin: undefined }]);
  });

  it("a part that is no event is a dead letter beside the events, with the names that it has", () => {
    const text = body([{ id: "a" }]).replace("]}", ',{"id":"b","type":7},[Infinity]]}');

    expect(readDeadLetters(dead(text))).toMatchObject([
      { eventId: "a", isEvent: true },
      {
        eventId: "b",
        type: undefined,
        isEvent: true,
        tenant: "acme",
        body: expect.stringContaining('[{"id":"b","type":7}]'),
      },
      { eventId: undefined, isEvent: false, tenant: "acme", body: expect.stringContaining("[[Infinity]]") },
    ]);
  });

  it.each([
    ["", undefined],
    ["no JSON", undefined],
    ["{}", undefined],
    ['{"tenant":7}', undefined],
    ['{"version":2,"tenant":"t","receivedAt":"2026-11-20T10:00:00Z","events":[{}]}', "t"],
  ])("the message %j is a dead letter whole, of the tenant that its body or its attributes name", (text, tenant) => {
    expect(readDeadLetters(dead(text, { deadLetterId: ROW }))).toMatchObject([
      { tenant, eventId: undefined, receivedAt: undefined, isEvent: false, body: text, deadLetterId: ROW },
    ]);
    expect(readDeadLetters(dead(text, { tenant: "acme" }))).toMatchObject([{ tenant: tenant ?? "acme" }]);
  });

  it("the body says whose the event is, whatever the attributes say", () => {
    const attributes = { reason: "r", tenant: "other", type: "other", source: "other", eventId: "other" };

    expect(readDeadLetters(dead(body([{ id: "a" }]), attributes))).toMatchObject([
      { tenant: "acme", type: "com.example.order", source: "/shop", eventId: "a" },
    ]);
  });

  it("a requeued copy is of the first copy's message", () => {
    expect(readDeadLetters(dead("x", { firstMessageId: "m0" }))).toMatchObject([{ messageId: "m0" }]);
  });

  it("whatever anybody writes into a message, a database can hold what is read, and every event is in it once", () => {
    const text = fc.string({ unit: "binary", maxLength: 50 });
    const attributes = fc.dictionary(
      fc.constantFrom(
        "reason",
        "sqlState",
        "detail",
        "tenant",
        "type",
        "source",
        "eventId",
        "attempts",
        "replays",
        "deadLetterId",
      ),
      fc.oneof(text, fc.constantFrom("9".repeat(15), "x".repeat(3_000))),
      { noNullPrototype: true },
    );
    const ids = fc.uniqueArray(fc.oneof(text, fc.constant("\u0000"), fc.constant("\ud800")), { maxLength: 4 });
    fc.assert(
      fc.property(attributes, ids, fc.boolean(), text, (given, events, isEnvelope, garbage) => {
        const message = dead(isEnvelope && events.length > 0 ? body(events.map((id) => ({ id }))) : garbage, given);

        const deadLetters = readDeadLetters(message);

        expect(deadLetters).toHaveLength(isEnvelope && events.length > 0 ? events.length : 1);
        for (const [index, { body: _body, searched: _searched, ...deadLetter }] of deadLetters.entries()) {
          expect(deadLetter.messageIndex).toBe(index);
          expect(deadLetter.attempts).toBeLessThan(2 ** 31);
          for (const value of Object.values(deadLetter)) {
            if (typeof value !== "string") continue;
            expect(value.isWellFormed()).toBe(true);
            expect(Buffer.byteLength(value)).toBeLessThanOrEqual(4_000);
          }
        }
      }),
    );
  });
});
