import { describe, expect, it } from "vitest";
import { createIdCheck, type FilterOptions, matchingEvents, toFilter } from "../../../functions/replay/filter.ts";
import { readMessage } from "./support.ts";

const NOW = Date.parse("2026-11-20T12:00:00.000Z");
const message = readMessage(
  JSON.stringify({
    receivedAt: "2026-11-20T10:00:00.000Z",
    events: [
      { id: "a", source: "/shop", type: "order" },
      { id: "b", source: "/mill", type: "order" },
      { id: "c", source: "/shop", type: "reading" },
    ],
  }),
  { reason: "not_storable", tenant: "acme" },
);
const accepted = (options: FilterOptions) => matchingEvents(message, toFilter(options, NOW)).map(({ id }) => id);
const HOUR = 3_600_000;

describe("a filter", () => {
  it.each<[FilterOptions, string[]]>([
    [{}, ["a", "b", "c"]],
    [{ reason: ["not_storable"] }, ["a", "b", "c"]],
    [{ reason: ["other"] }, []],
    [{ reason: ["other", "not_storable"] }, ["a", "b", "c"]],
    [{ tenant: ["acme"] }, ["a", "b", "c"]],
    [{ tenant: ["other"] }, []],
    [{ type: ["order"] }, ["a", "b"]],
    [{ type: ["order"], source: ["/shop"] }, ["a"]],
    [{ type: ["order", "reading"], source: ["/shop"] }, ["a", "c"]],
    [{ id: ["b", "none"] }, ["b"]],
    [{ id: ["m-1"] }, ["a", "b", "c"]],
    [{ olderThan: HOUR }, ["a", "b", "c"]],
    [{ olderThan: 2 * HOUR }, []],
    [{ newerThan: 3 * HOUR }, ["a", "b", "c"]],
    [{ newerThan: 2 * HOUR }, []],
    [{ olderThan: HOUR, newerThan: 3 * HOUR, type: ["reading"] }, ["c"]],
  ])("accepts with %j the events %j", (options, events) => {
    expect(accepted(options)).toEqual(events);
  });

  it("accepts an unreadable message by reason, tenant, age and message id, and by no name of an event", () => {
    const unreadable = readMessage("nothing", { reason: "unreadable_message" });
    const accepts = (options: FilterOptions) => matchingEvents(unreadable, toFilter(options, NOW)).length === 1;

    expect([{}, { reason: ["unreadable_message"] }, { id: ["m-1"] }].map(accepts)).toEqual([true, true, true]);
    expect([{ type: ["t"] }, { source: ["/s"] }, { tenant: ["acme"] }, { id: ["a"] }].some(accepts)).toBe(false);
  });
});

describe("the ids of a filter", () => {
  it("are missing until a message has them, as its own id or as an event's", () => {
    const check = createIdCheck(toFilter({ id: ["c", "absent", "m-1"] }, NOW));

    check.add(message);

    expect(check.missing()).toEqual(["absent"]);
  });
});
