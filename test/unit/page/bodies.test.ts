import { describe, expect, it } from "vitest";
import { keyBody, type KeyDraft, listOf, rolesToGive } from "../../../console/screens/keys/roles.ts";
import { dayRange } from "../../../console/screens/refusals/day-range.ts";
import { numberOf, textOf } from "../../../console/screens/send/input-value.ts";
import {
  changesBody,
  draftOf,
  filterFault,
  subscriptionBody,
  type SubscriptionDraft,
} from "../../../console/screens/subscriptions/subscription-body.ts";
import { newKey } from "../../../functions/core/access-bodies.ts";
import { scopesOf } from "../../../functions/core/scopes.ts";
import { newSubscription, subscriptionChanges } from "../../../functions/core/subscription-bodies.ts";

describe("the body of a new key", () => {
  const empty: KeyDraft = {
    tenant: "",
    role: "producer",
    name: " ",
    expires: "",
    types: "",
    sources: "",
    eventsPerSecond: "",
    requestsPerSecond: "",
    eventsPerDay: "",
  };

  it("leaves out what was left empty", () => {
    expect(keyBody(empty)).toEqual({ role: "producer" });
  });

  it("has everything that was set, in a form that the API takes", () => {
    const body = keyBody({
      ...empty,
      tenant: "acme",
      name: " checkout ",
      expires: "90d",
      types: "com.example.*, com.acme.order",
      sources: "/shop/*",
      eventsPerSecond: "500",
    });

    expect(body).toEqual({
      tenant: "acme",
      role: "producer",
      name: "checkout",
      expires: "90d",
      types: ["com.example.*", "com.acme.order"],
      sources: ["/shop/*"],
      limits: { eventsPerSecond: 500 },
    });
    expect(newKey.safeParse(body).error).toBeUndefined();
  });

  it("a list is taken apart at commas and line breaks", () => {
    expect(listOf(" a ,\n b,, c\n")).toEqual(["a", "b", "c"]);
    expect(listOf(" ,\n")).toBeUndefined();
  });

  it("a key gives no role that has a scope which the key has not", () => {
    const given = (role: "operator" | "admin") => rolesToGive(scopesOf({ role, tenant: "acme" }));

    expect(given("admin")).toEqual(["producer", "reader", "operator", "admin"]);
    expect(given("operator")).toContain("reader");
    expect(given("operator")).not.toContain("producer");
    expect(given("operator")).not.toContain("admin");
  });
});

describe("the body of a new subscription", () => {
  const draft: SubscriptionDraft = {
    name: " orders ",
    filter: "",
    sinkType: "webhook",
    place: " https://hooks.example.com/orders ",
    format: "structured",
    from: "",
    order: "none",
    schedule: "standard",
    batch: "",
    rate: "",
    timeoutMs: "",
  };

  it("leaves out what is so by default", () => {
    expect(subscriptionBody(draft)).toEqual({
      name: "orders",
      sink: { type: "webhook", url: "https://hooks.example.com/orders" },
    });
  });

  it("keeps the digits of the numbers of a filter", () => {
    const filter = '{"data":{"total":[{"numeric":[">",9223372036854775807,"<",1e400]}]}}';

    expect(JSON.stringify(subscriptionBody({ ...draft, filter }))).toContain(`"filter":${filter}`);
  });

  it.each<Partial<SubscriptionDraft>>([
    { filter: '{"exact": {"type": "t"}}', order: "subject", schedule: "doubling", rate: "5", timeoutMs: "5000" },
    { format: "binary", from: "2026-11-21T09:30" },
    { sinkType: "email", place: "a@example.com, b@example.com" },
    { sinkType: "slack", place: "https://hooks.example.com/services/x" },
    { sinkType: "sns", place: "arn:aws:sns:eu-central-1:123456789012:topic" },
    { sinkType: "sqs", place: "https://sqs.eu-central-1.amazonaws.com/123456789012/queue" },
  ])("the API takes %j", (changes) => {
    expect(newSubscription.safeParse(subscriptionBody({ ...draft, ...changes })).error).toBeUndefined();
  });

  it("a filter that is no JSON is said before it is sent", () => {
    expect([filterFault(""), filterFault("{}"), filterFault("{")]).toEqual([
      undefined,
      undefined,
      expect.stringMatching(/^This is not JSON/),
    ]);
  });
});

describe("the value of an input", () => {
  it.each(["12345678901234567890.10", "1.0", "-0", "1e2"])("a number keeps its digits: %s", (text) => {
    expect(JSON.stringify(numberOf(text))).toBe(text);
    expect(textOf(numberOf(text))).toBe(text);
  });

  it.each(["1.", "abc", "1e", "٣", "0x10", "NaN"])(
    "text that is no number stays text, which the API refuses: %s",
    (text) => {
      expect(numberOf(text)).toBe(text);
    },
  );

  it("an empty input is no value", () => {
    expect(numberOf(" ")).toBeUndefined();
    expect(textOf(undefined)).toBe("");
  });
});

describe("the days of refusals", () => {
  const now = Date.parse("2026-11-30T00:30:00Z");
  const days = (query: string) => dayRange(new URLSearchParams(query), now);

  it("are the last seven of UTC, or as many as the address says", () => {
    expect(days("")).toEqual({ from: "2026-11-24", to: "2026-11-30", days: 7 });
    expect(days("days=1")).toEqual({ from: "2026-11-30", to: "2026-11-30", days: 1 });
    expect(days("days=9999")).toMatchObject({ days: 7 });
  });
});

describe("the body of changes of a subscription", () => {
  const before = draftOf(
    {
      name: "billing",
      sink: { type: "webhook", url: "https://example.com/?***" },
      order: "none",
      schedule: "standard",
      batch: 1,
      rate: 5,
      timeoutMs: 10_000,
    },
    '{"exact":{"type":"a"}}',
  );

  it("has nothing where nothing was changed", () => {
    expect(changesBody(before, { ...before })).toEqual({});
  });

  it("has what was changed alone, and null for what was taken away", () => {
    const body = changesBody(before, {
      ...before,
      name: " invoices ",
      filter: "",
      place: "https://example.com/new",
      order: "subject",
      rate: "",
      timeoutMs: "2000",
    });

    expect(body).toEqual({
      name: "invoices",
      filter: null,
      sink: { type: "webhook", url: "https://example.com/new" },
      order: "subject",
      rate: null,
      timeoutMs: 2_000,
    });
    expect(subscriptionChanges.safeParse(body).error).toBeUndefined();
  });
});
