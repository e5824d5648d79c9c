import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MESSAGE_MAX_BYTES } from "../../../functions/core/limits.ts";
import { toFilter } from "../../../scripts/dead-letters/filter.ts";
import { type DeadLetter, eventKey, toDeadLetter } from "../../../scripts/dead-letters/dead-letter.ts";
import { choose } from "../../../scripts/replay/choose.ts";
import { type CommandOptions, flagsOf } from "../../../scripts/replay/options.ts";
import { type Outgoing, remainingLetters, someEvents, wholeLetter } from "../../../scripts/replay/outgoing.ts";
import { createPace } from "../../../scripts/replay/pace.ts";
import { letterOf, message } from "./support.ts";

const all = toFilter({}, 0);
const never = () => false;

describe("what is replayed of a letter", () => {
  it("is what matches, is not capped and did not come back meanwhile, event by event", () => {
    const letter = letterOf([1, 2, 3], { replays: "1" });
    const keys = letter.events.map((event) => eventKey(letter, event));
    const criteria = { filter: toFilter({ id: ["a", "b"] }, 0), edits: undefined, maxReplays: 5 };

    const choice = choose(letter, { ...criteria, cameBack: (key, replays) => key === keys[1] && replays === 1 });

    expect(choice.chosen.map(({ key }) => key)).toEqual(keys.slice(0, 1));
    expect(choice).toMatchObject({ capped: 0, returned: 1 });
  });

  it.each([
    [4, { capped: 0 }, 2],
    [5, { capped: 2 }, 0],
    [6, { capped: 2 }, 0],
  ])("after %i replays of at most 5 is %j", (replays, counts, chosen) => {
    const letter = letterOf([1, 2], { replays: String(replays) });

    const choice = choose(letter, { filter: all, edits: undefined, maxReplays: 5, cameBack: never });

    expect(choice).toMatchObject(counts);
    expect(choice.chosen).toHaveLength(chosen);
  });

  it("where a file of corrected events is given is only what stands in it", () => {
    const letter = letterOf([1, 2]);
    const corrected = { id: "b", source: "/shop", type: "t", time: "2026-11-20T10:00:00Z", data: 3 };
    const edits = {
      find: (_: DeadLetter, { id }: { id: string | undefined }) => (id === "b" ? corrected : undefined),
      unused: () => [],
    };

    const { chosen } = choose(letter, { filter: all, edits, maxReplays: 5, cameBack: never });

    expect(chosen).toMatchObject([{ event: { id: "b" }, edit: corrected }]);
  });
});

describe("what is sent", () => {
  const bytesOf = ({ body, attributes }: Outgoing) =>
    Object.entries(attributes).reduce(
      (sum, [name, { DataType: type, StringValue: value }]) => sum + Buffer.byteLength(name + type + value),
      Buffer.byteLength(body),
    );

  it("never exceeds a message, and holds every event once and in order, however large they became", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 250_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const letter = letterOf([1], { detail: "x".repeat(1_000), attempts: "1" });
        const events = lengths.map((length, id) => ({ id, data: "é".repeat(length / 2) }));
        for (const messages of [someEvents(letter, events), remainingLetters(letter, events)]) {
          const sent = messages.flatMap(({ body }) => (JSON.parse(body) as { events: unknown[] }).events);
          expect(sent).toEqual(events);
          for (const each of messages) expect(bytesOf(each)).toBeLessThanOrEqual(MESSAGE_MAX_BYTES);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("keeps whatever else an envelope has, and every digit", () => {
    const body = '{"version":7,"new":[1.00000000000000000001],"events":[{"id":"a","source":"/s","type":"t"}]}';
    const letter = toDeadLetter(message(body));

    expect(someEvents(letter, [letter.events[0]?.exact]).map((each) => each.body)).toEqual([body]);
  });

  it("leaves out what does not fit beside a body that fills the message", () => {
    const full = toDeadLetter(message("x".repeat(MESSAGE_MAX_BYTES)));
    const nearly = toDeadLetter(message("x".repeat(MESSAGE_MAX_BYTES - 14)));

    expect(wholeLetter(full)).toEqual({ body: full.body, attributes: {}, group: undefined });
    expect(wholeLetter(nearly).attributes).toHaveProperty("replays");
  });

  it.each([
    ["acme", "acme"],
    ["a b", undefined],
    ["ä", undefined],
    ["x".repeat(129), undefined],
  ])("of the tenant %j goes in the group %j", (tenant, group) => {
    expect(wholeLetter(letterOf([1], { tenant })).group).toBe(group);
  });
});

describe("a pace", () => {
  it("lets go at once what it has time for, and then waits until it is worked off", async () => {
    let now = 1_000;
    const waits: number[] = [];
    const delay = (milliseconds: number) => {
      waits.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    };
    const pace = createPace(20, { now: () => now, delay });
    const { signal } = new AbortController();

    for (const events of [10, 10, 1]) {
      await pace.wait(signal);
      pace.spend(events);
    }
    now += 5_000;
    await pace.wait(signal);

    expect(waits).toEqual([500, 500]);
  });

  it("waits no longer once it is stopped, nor without a rate", async () => {
    const delays: number[] = [];
    const clock = { now: () => 0, delay: (milliseconds: number) => Promise.resolve(void delays.push(milliseconds)) };
    const [slow, free] = [createPace(1, clock), createPace(undefined, clock)];
    for (const pace of [slow, free]) pace.spend(1_000_000);

    await slow.wait(AbortSignal.abort());
    await free.wait(new AbortController().signal);

    expect(delays).toEqual([]);
  });
});

describe("the options of a replay", () => {
  it("are told as they can be typed again", () => {
    const options: CommandOptions = {
      dataDir: ".sluice",
      reason: ["a", "b"],
      source: ["/with space"],
      id: ["it's"],
      olderThan: 7_200_000,
      limit: 5,
      maxReplays: 9,
      rate: 3,
      edit: "fixed.ndjson",
    };

    expect(flagsOf(options)).toBe(
      "--reason a --reason b --source '/with space' --id 'it'\\''s' --older-than 7200s --limit 5 --max-replays 9 --edit fixed.ndjson",
    );
    expect(flagsOf({ dataDir: ".sluice" })).toBe("");
  });
});
