import { expect, it } from "vitest";
import { RequestError } from "../../../functions/core/errors.ts";
import type { ListPart, ListReader, ListScan } from "../../../functions/core/list-reader.ts";
import { QUERY_WAIT_MS } from "../../../functions/core/query-load-limits.ts";
import { awaitSlot } from "../../../functions/query/await-slot.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const part = { events: ["{}"] } as ListPart;
const busy = () => new RequestError("too_many_queries", "busy");

function open(answers: (Error | ListPart)[]) {
  const clock = createManualClock();
  let tries = 0;
  const reader = awaitSlot<ListReader>(
    {
      async list() {
        const answer = answers[Math.min(tries++, answers.length - 1)] as Error | ListPart;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    {
      clock: () => new Date(clock.now()),
      wait: async (milliseconds) => clock.advance(milliseconds),
      random: () => 0.5,
    },
  );
  const began = clock.now();
  return {
    list: () => reader.list({} as ListScan, 0),
    tries: () => tries,
    waited: () => clock.now() - began,
  };
}

it("a page waits until the tenant has a slot", async () => {
  const { list, tries } = open([busy(), busy(), part]);

  expect(await list()).toBe(part);
  expect(tries()).toBe(3);
});

it("a page that waits too long is refused, after few tries", async () => {
  const { list, waited, tries } = open([busy()]);

  await expect(list()).rejects.toMatchObject({ code: "too_many_queries" });
  expect(waited()).toBe(QUERY_WAIT_MS);
  expect(tries()).toBe(5);
});

it("another error is not waited for", async () => {
  const { list, tries } = open([new RequestError("cursor_expired", "deleted"), part]);

  await expect(list()).rejects.toMatchObject({ code: "cursor_expired" });
  expect(tries()).toBe(1);
});
