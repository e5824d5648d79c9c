import { describe, expect, it } from "vitest";
import { duration } from "../../../scripts/duration.ts";
import { createIdCheck, type FilterOptions, matchingEvents, toFilter } from "../../../scripts/dead-letters/filter.ts";
import { toDeadLetter } from "../../../scripts/dead-letters/dead-letter.ts";
import { message } from "./support.ts";

const NOW = Date.parse("2026-11-20T12:00:00.000Z");
const letter = toDeadLetter(
  message(
    JSON.stringify({
      receivedAt: "2026-11-20T10:00:00.000Z",
      events: [
        { id: "a", source: "/shop", type: "order" },
        { id: "b", source: "/mill", type: "order" },
        { id: "c", source: "/shop", type: "reading" },
      ],
    }),
    { reason: "not_storable", tenant: "acme" },
  ),
);
const taken = (options: FilterOptions) => matchingEvents(letter, toFilter(options, NOW)).map(({ id }) => id);
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
  ])("of %j takes %j", (options, events) => {
    expect(taken(options)).toEqual(events);
  });

  it("takes an unreadable message by its reason, tenant, age and message id, and by no name of an event", () => {
    const unreadable = toDeadLetter(message("nothing", { reason: "unreadable_message" }));
    const takes = (options: FilterOptions) => matchingEvents(unreadable, toFilter(options, NOW)).length === 1;

    expect([{}, { reason: ["unreadable_message"] }, { id: ["m-1"] }].map(takes)).toEqual([true, true, true]);
    expect([{ type: ["t"] }, { source: ["/s"] }, { tenant: ["acme"] }, { id: ["a"] }].some(takes)).toBe(false);
  });
});

describe("ids that were asked for", () => {
  it("are unknown until a letter has them, as its own or one of its events'", () => {
    const check = createIdCheck(toFilter({ id: ["c", "gone", "m-1"] }, NOW));

    check.see(letter);

    expect(check.unknown()).toEqual(["gone"]);
  });
});

describe("a duration", () => {
  it.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["3d", 259_200_000],
    ["1w", 604_800_000],
  ])("%s is %i ms", (text, milliseconds) => {
    expect(duration("--older-than")(text)).toBe(milliseconds);
  });

  it.each(["", "2", "h", "0h", "-2h", "2.5h", "2 h", "2H", "1y"])("%j is refused by the option's name", (text) => {
    expect(() => duration("--older-than")(text)).toThrow("--older-than takes a duration such as 90s");
  });
});
