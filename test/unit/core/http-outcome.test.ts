import { describe, expect, it } from "vitest";
import { readRetryAfter, toHttpOutcome } from "../../../functions/core/http-outcome.ts";
import { RETRY_AFTER_MAX_HOURS } from "../../../functions/core/subscription-limits.ts";

const NOW = Date.parse("2026-11-21T09:30:00Z");
const MAX_MS = RETRY_AFTER_MAX_HOURS * 3_600_000;

const outcomeOf = (code: number, retryAfter?: string) => toHttpOutcome({ code, retryAfter, response: "body" }, NOW);

describe("the answer of a sink by HTTP", () => {
  it.each([200, 201, 202, 204, 206, 299])("%i is a success", (code) => {
    expect(outcomeOf(code, "60")).toEqual({ kind: "delivered", code, response: "body" });
  });

  it.each([300, 301, 302, 303, 304, 307, 308])("%i is a redirect, which fails and is tried again", (code) => {
    expect(outcomeOf(code)).toMatchObject({ kind: "later", code, error: expect.stringContaining("redirect") });
  });

  it("410 says that the sink takes nothing more, for ever", () => {
    expect(outcomeOf(410, "60")).toMatchObject({ kind: "never", isEnded: true, code: 410 });
    expect(outcomeOf(410)).not.toHaveProperty("retryAfterMs");
  });

  it.each([
    100, 199, 400, 401, 403, 404, 405, 408, 409, 413, 422, 425, 429, 431, 451, 499, 500, 501, 502, 503, 504, 599,
  ])("%i is tried again, when the sink says", (code) => {
    expect(outcomeOf(code, "60")).toEqual({
      kind: "later",
      code,
      response: "body",
      retryAfterMs: 60_000,
      error: `The sink answered ${code}.`,
    });
  });

  it("has no response where its body is empty", () => {
    expect(toHttpOutcome({ code: 204, retryAfter: undefined, response: "" }, NOW)).toEqual({
      kind: "delivered",
      code: 204,
    });
  });
});

describe("Retry-After", () => {
  it.each([
    ["1", 1_000],
    [" 120 ", 120_000],
    ["86400", MAX_MS],
    ["86401", MAX_MS],
    ["9".repeat(400), MAX_MS],
    ["Sat, 21 Nov 2026 09:31:00 GMT", 60_000],
    ["Sat, 21 Nov 2036 09:31:00 GMT", MAX_MS],
  ])("%j waits for %i ms", (text, ms) => {
    expect(readRetryAfter(text, NOW)).toBe(ms);
  });

  it.each([
    undefined,
    "",
    "0",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "60 seconds",
    "soon",
    "Sat, 21 Nov 2026 09:29:00 GMT",
    "Sat, 99 Nov 2026 09:31:00 GMT",
    "2026-11-21T09:31:00Z",
    "tomorrow",
  ])("%j says nothing", (text) => {
    expect(readRetryAfter(text, NOW)).toBeUndefined();
  });
});
