import { describe, expect, it } from "vitest";
import {
  type Policy,
  quotaExceeded,
  rateLimitFields,
  retryAfterSeconds,
} from "../../../functions/core/rate-limit-fields.ts";

const policy = (overrides: Partial<Policy> = {}): Policy => ({
  name: "tenant-requests",
  unit: "requests",
  quota: 10,
  windowSeconds: 1,
  remaining: 7,
  resetSeconds: 1,
  isViolated: false,
  ...overrides,
});
const day = policy({
  name: "key-day",
  unit: "events",
  quota: 5_000,
  windowSeconds: 86_400,
  remaining: 12,
  resetSeconds: 3_600,
});

describe("the fields of limits", () => {
  it("both fields are lists of strings with parameters, as draft 11 writes them", () => {
    expect(rateLimitFields([policy({ burst: 20 }), day])).toEqual({
      "ratelimit-policy": '"tenant-requests";q=10;w=1;sluice-burst=20, "key-day";q=5000;w=86400;qu="events"',
      ratelimit: '"tenant-requests";r=7;t=1, "key-day";r=12;t=3600',
    });
  });

  it("without a limit there are no fields", () => {
    expect(rateLimitFields([])).toEqual({});
  });

  it("after a refusal the field has the violated policies alone, whose windows end with Retry-After", () => {
    const violated = policy({ remaining: 0, resetSeconds: 3, isViolated: true });

    expect(rateLimitFields([violated, day]).ratelimit).toBe('"tenant-requests";r=0;t=3');
    expect(retryAfterSeconds([violated, day])).toBe(3);
    expect(quotaExceeded([violated, day])).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      "violated-policies": ["tenant-requests"],
    });
  });

  it("of several violated policies the one that lasts longest decides when to come again", () => {
    expect(retryAfterSeconds([policy({ isViolated: true, resetSeconds: 2 }), { ...day, isViolated: true }])).toBe(
      3_600,
    );
  });

  it("a number has at most the 15 digits of an Integer", () => {
    expect(rateLimitFields([policy({ quota: Number.MAX_SAFE_INTEGER, remaining: -1 })])).toEqual({
      "ratelimit-policy": '"tenant-requests";q=999999999999999;w=1',
      ratelimit: '"tenant-requests";r=0;t=1',
    });
  });
});
