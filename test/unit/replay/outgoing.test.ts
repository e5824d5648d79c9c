import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_MAX_BYTES } from "../../../functions/core/limits.ts";
import type { OutgoingMessage } from "../../../functions/core/queue-message.ts";
import { factsOf } from "../../../functions/replay/dead-letter-message.ts";
import { remainder, someEvents, wholeMessage } from "../../../functions/replay/outgoing.ts";
import { messageOf, readMessage } from "./support.ts";

describe("a replayed message", () => {
  const bytesOf = ({ body, attributes = {} }: OutgoingMessage) =>
    Object.entries(attributes).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(`${name}String${value}`),
      Buffer.byteLength(body),
    );

  it("never exceeds the size limit, and every event is sent once and in order", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 250_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const message = messageOf([1], { detail: "x".repeat(1_000), attempts: "1" });
        const events = lengths.map((length, id) => ({ id, data: "é".repeat(length / 2) }));
        for (const messages of [someEvents(message, events), remainder(message, events)]) {
          const sent = messages.flatMap(({ body }) => (JSON.parse(body) as { events: unknown[] }).events);
          expect(sent).toEqual(events);
          for (const each of messages) expect(bytesOf(each)).toBeLessThanOrEqual(MESSAGE_MAX_BYTES);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("has its replay count raised, and its remainder has the facts of the message", () => {
    const facts = { reason: "constraint_violation", sqlState: "23514", detail: "no", attempts: "3", replays: "2" };
    const message = messageOf([1, 2], facts);

    const [rest] = remainder(message, [message.events[1]?.content]);

    expect(wholeMessage(message).attributes).toEqual({ replays: "3" });
    expect(someEvents(message, [message.events[0]?.content])[0]?.attributes).toEqual({ replays: "3" });
    const { body = "", attributes = {} } = rest ?? {};
    expect(factsOf(readMessage(body, attributes))).toEqual(factsOf(message));
  });

  it("keeps unknown members of the envelope, and every digit", () => {
    const body = '{"version":7,"new":[1.00000000000000000001],"events":[{"id":"a","source":"/s","type":"t"}]}';
    const message = readMessage(body);

    expect(someEvents(message, [message.events[0]?.content]).map((each) => each.body)).toEqual([body]);
  });

  it("leaves out the attributes that do not fit beside a body that fills the message", () => {
    const full = readMessage("x".repeat(MESSAGE_MAX_BYTES));
    const nearly = readMessage("x".repeat(MESSAGE_MAX_BYTES - 14));

    expect(wholeMessage(full)).toEqual({ body: full.body, attributes: {} });
    expect(wholeMessage(nearly).attributes).toHaveProperty("replays");
  });

  it.each([
    ["acme", "acme"],
    ["a b", undefined],
    ["ä", undefined],
    ["x".repeat(129), undefined],
  ])("is sent for the tenant %j in the group %j", (tenant, group) => {
    expect(wholeMessage(messageOf([1], { tenant })).group).toBe(group);
  });
});
