import { describe, expect, it } from "vitest";
import { fetchAgain } from "../../support/fetch-again.ts";

const answer = (status: number, code: string) =>
  new Response(JSON.stringify({ code }), { status, headers: { "retry-after": "2" } });

/** Sends to a stack that gives these answers one after the other, the last one for ever. */
async function sendTo(answers: Response[]) {
  const pauses: number[] = [];
  let requests = 0;
  const response = await fetchAgain("http://127.0.0.1/", undefined, {
    send: async () => (answers[requests++] ?? answers.at(-1) ?? Response.error()).clone(),
    pause: async (milliseconds) => pauses.push(milliseconds),
  });
  return { status: response.status, body: await response.json(), requests, pauses };
}

describe("a request of the end-to-end tests", () => {
  it("a request whose key could not be checked is sent again after the time that the answer names", async () => {
    const sent = await sendTo([answer(503, "access_unavailable"), answer(200, "none")]);

    expect(sent).toEqual({ status: 200, body: { code: "none" }, requests: 2, pauses: [2_000] });
  });

  it("a request whose key can never be checked ends with that answer", async () => {
    const { status, requests } = await sendTo([answer(503, "access_unavailable")]);

    expect([status, requests]).toEqual([503, 10]);
  });

  it.each([
    [503, "database_unavailable"],
    [500, "internal_error"],
    [429, "rate_limited"],
  ])("a request that gets %i %s is not sent again", async (status, code) => {
    expect(await sendTo([answer(status, code)])).toMatchObject({ status, body: { code }, requests: 1 });
  });
});
