import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { STATUS_MAX_RECEIVE_COUNT } from "../../../functions/core/queue-limits.ts";
import {
  REFUSAL_COUNTED_MESSAGES,
  REFUSAL_DAY_GROUPS,
  REFUSAL_KEPT_DAYS,
  REFUSAL_NAME_MAX_CHARACTERS,
  REFUSAL_PAUSE_MS,
  REFUSAL_SAMPLES,
  REFUSAL_SEND_MS,
  REFUSAL_SENDS_PER_SECOND,
  REFUSAL_TEXT_MAX_CHARACTERS,
  REFUSALS_DEFAULT_DAYS,
  REFUSALS_MAX,
} from "../../../functions/core/refusal-limits.ts";
import { schemas } from "../../../functions/core/answer.ts";

const text = readFileSync("docs/refusals.md", "utf8").replaceAll(/\s+/g, " ");

describe("docs/refusals.md", () => {
  it.each([
    [`kept for ${REFUSAL_KEPT_DAYS} days`],
    [`at most ${REFUSAL_DAY_GROUPS} groups a day`],
    [`every tenant, at most ${REFUSAL_DAY_GROUPS} of a day`],
    // The groups, the others, and the lists of groups and of tenants.
    [`no more than ${REFUSAL_DAY_GROUPS + 3} items`],
    [`up to ${REFUSAL_SAMPLES} of the latest`],
    [`cut after ${REFUSAL_TEXT_MAX_CHARACTERS} characters`],
    [`at most ${REFUSAL_NAME_MAX_CHARACTERS}, no number of five digits`],
    [`unless ${REFUSAL_COUNTED_MESSAGES} other messages`],
    [`Up to ${REFUSALS_MAX} groups a page`],
    [`table does not answer ${STATUS_MAX_RECEIVE_COUNT} times`],
  ])("says %j, as the limits do", (sentence) => {
    expect(text).toContain(sentence);
  });

  it("says in words what the limits are", () => {
    const inWords = { sends: REFUSAL_SENDS_PER_SECOND, sendMs: REFUSAL_SEND_MS, pauseMs: REFUSAL_PAUSE_MS };

    expect(inWords).toEqual({ sends: 10, sendMs: 500, pauseMs: 5_000 });
    expect(text).toContain("at most ten messages a second");
    expect(text).toContain("by half a second at most, once in five seconds");
    expect([REFUSALS_DEFAULT_DAYS, text.includes("The last week")]).toEqual([7, true]);
  });

  it("has a sample of the form that the API answers", () => {
    const [, sample = ""] = /```json\n([^]*?)\n```/.exec(readFileSync("docs/refusals.md", "utf8")) ?? [];
    const group = { tenant: "a", day: "2026-11-28", code: "required", pointer: "", count: 1 };
    const at = "2026-11-28T09:30:58.771Z";

    const parsed = JSON.parse(sample) as Record<string, unknown>;

    const page = { groups: [{ ...group, first: at, last: at, samples: [parsed] }], next: null };
    expect(schemas.Refusals.parse(page).groups[0]?.samples).toEqual([parsed]);
  });
});
