import { describe, expect, it } from "vitest";
import { choose } from "../../../functions/replay/choose.ts";
import { type DeadLetterMessage, eventKey } from "../../../functions/replay/dead-letter-message.ts";
import { toFilter } from "../../../functions/replay/filter.ts";
import { messageOf } from "./support.ts";

const all = toFilter({}, 0);
const never = () => false;

describe("the events chosen of a message", () => {
  it("match, are not capped and did not come back during the replay", () => {
    const message = messageOf([1, 2, 3], { replays: "1" });
    const keys = message.events.map((event) => eventKey(message, event));
    const criteria = { filter: toFilter({ id: ["a", "b"] }, 0), edits: undefined, maxReplays: 5 };

    const choice = choose(message, { ...criteria, cameBack: (key, replays) => key === keys[1] && replays === 1 });

    expect(choice.chosen.map(({ key }) => key)).toEqual(keys.slice(0, 1));
    expect(choice).toMatchObject({ capped: 0, returned: 1 });
  });

  it.each([
    [4, { capped: 0 }, 2],
    [5, { capped: 2 }, 0],
    [6, { capped: 2 }, 0],
  ])("are none after too many replays: %i of at most 5 gives %j", (replays, counts, chosen) => {
    const message = messageOf([1, 2], { replays: String(replays) });

    const choice = choose(message, { filter: all, edits: undefined, maxReplays: 5, cameBack: never });

    expect(choice).toMatchObject(counts);
    expect(choice.chosen).toHaveLength(chosen);
  });

  it("have an edit when edits are given", () => {
    const message = messageOf([1, 2]);
    const corrected = { id: "b", source: "/shop", type: "t", time: "2026-11-20T10:00:00Z", data: 3 };
    const edits = {
      find: (_: DeadLetterMessage, { id }: { id: string | undefined }) => (id === "b" ? corrected : undefined),
      unused: () => [],
    };

    const { chosen } = choose(message, { filter: all, edits, maxReplays: 5, cameBack: never });

    expect(chosen).toMatchObject([{ event: { id: "b" }, edit: corrected }]);
  });
});
