import { beforeEach, describe, expect, it } from "vitest";
import { storable } from "../../support/event-samples.ts";
import { apiUnderTest } from "./api-under-test.ts";

const acme = { tenant: "acme", receivedAt: "2026-11-29T09:00:00.000Z" };
const filter = { all: [{ exact: { type: "a" } }, { data: { total: [{ numeric: [">", 100] }] } }] };

let test: ReturnType<typeof apiUnderTest>;
beforeEach(() => {
  test = apiUnderTest();
});

const answerTo = async (body: unknown) => (await test.call("testSubscription", { body })).body;

describe("the test of a filter", () => {
  it("an event that matches has no reasons", async () => {
    const event = { type: "a", source: "/s", data: { total: 101 } };

    expect(await answerTo({ filter, event })).toEqual({ matches: true, why: [] });
  });

  it("an event that does not match has each part of the filter that does not hold, with its own value", async () => {
    const event = { type: "b", source: "/s", data: { total: 7 } };

    expect(await answerTo({ filter, event })).toEqual({
      matches: false,
      why: [
        { pointer: "/all/0/exact/type", message: 'must be "a"; the event has "b"' },
        { pointer: "/all/1/data/total", message: 'must meet one of [{"numeric":[">",100]}]; the event has 7' },
      ],
    });
  });

  it("numbers of a tested event are compared by all their digits", async () => {
    const of = (n: string) =>
      `{"filter":{"data":{"n":[{"numeric":["=",12345678901234567890]}]}},"event":{"type":"a","source":"/s","data":{"n":${n}}}}`;

    expect((await answerTo(of("12345678901234567890"))).matches).toBe(true);
    expect((await answerTo(of("12345678901234567891"))).matches).toBe(false);
  });

  it("a subscription is tested with its filter, and with the types and sources that it gets", async () => {
    const { id } = await test.create({ filter: { exact: { source: "/s" } } }, { types: ["com.*"], sources: ["/s"] });

    const { why } = await answerTo({ subscription: id, event: { type: "b", source: "/t" } });

    expect(why).toEqual([
      { pointer: "", message: 'the key may read only the types com.*; the event has "b"' },
      { pointer: "", message: 'the key may read only the sources /s; the event has "/t"' },
      { pointer: "/exact/source", message: 'must be "/s"; the event has "/t"' },
    ]);
  });

  it("a stored event is tested by its id and source", async () => {
    test.store(storable({ id: "1", source: "/s", type: "a", data: { total: 5 } }, acme));

    expect((await answerTo({ filter, event: { id: "1", source: "/s" } })).why).toHaveLength(1);
    expect((await answerTo({ filter: { exact: { type: "a" } }, event: { id: "1" } })).matches).toBe(true);
  });

  it("an event that the key may not read, or that is not stored, is not found", async () => {
    test.store(storable({ id: "1", source: "/s", type: "a" }, acme));
    const body = { filter, event: { id: "1", source: "/s" } };

    expect(await test.refusal("testSubscription", { body, principal: { types: ["b"] } })).toMatch(/^not_found/);
    expect(await test.refusal("testSubscription", { body: { filter, event: { id: "2" } } })).toMatch(
      /^not_found: .*Send the whole event/,
    );
  });

  it("an id that several sources have used needs one of them", async () => {
    test.store(storable({ id: "1", source: "/s" }, acme), storable({ id: "1", source: "/t" }, acme));

    expect(await test.refusal("testSubscription", { body: { filter, event: { id: "1" } } })).toMatch(
      /^ambiguous_id: .*`event\.source`/,
    );
  });

  it.each<[string, unknown, RegExp]>([
    ["no event", { filter }, /event: is no object/],
    [
      "neither filter nor subscription",
      { event: { type: "a" } },
      /it needs either a filter or the id of a subscription/,
    ],
    ["both", { filter, subscription: `sub_${"0".repeat(32)}`, event: { type: "a" } }, /it needs either a filter or/],
    ["an id that is none", { subscription: "sub_1", event: { type: "a" } }, /subscription: is no id of a subscription/],
    ["an unknown member", { filter, events: [], event: { type: "a" } }, /unknown member events/],
  ])("a test with %s is refused", async (_name, body, expected) => {
    const refusal = await test.refusal("testSubscription", { body });

    expect(refusal).toMatch(/^malformed_body/);
    expect(refusal).toMatch(expected);
  });
});
