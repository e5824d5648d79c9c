import { describe, expect, it } from "vitest";
import { sinkText, standingOf } from "../../../console/screens/subscriptions/standing.ts";
import { disabledSubscription, subscription } from "../../../functions/api-docs/subscription-examples.ts";
import { schemas } from "../../../functions/core/answer.ts";

const NOW = "2026-11-21T10:00:00Z";
const parse = (changes: object) => schemas.Subscription.parse({ ...subscription, ...changes });

describe("how a subscription is doing", () => {
  it("one without a failure is active and needs nothing", () => {
    expect(standingOf(parse({ failingSince: undefined, openUntil: undefined }), NOW)).toEqual({
      label: "active",
      tone: "good",
      advice: "",
    });
  });

  it("one whose last attempt failed is failing, and its circuit is open while attempts are kept back", () => {
    const failing = { failingSince: "2026-11-21T09:00:00Z" };

    expect(standingOf(parse(failing), NOW).label).toBe("failing");
    expect(standingOf(parse({ ...failing, openUntil: "2026-11-21T10:00:30Z" }), NOW).label).toBe("circuit open");
    expect(standingOf(parse({ ...failing, openUntil: "2026-11-21T09:59:30Z" }), NOW).label).toBe("failing");
  });

  it.each(["requested", "sink_ended", "sink_failing"])("one that is disabled says what to do: %s", (disabledReason) => {
    const standing = standingOf(parse({ ...disabledSubscription, disabledReason }), NOW);

    expect(standing.label).toMatch(/^disabled/);
    expect(standing.advice).toMatch(/enable it/);
  });

  it.each([
    [{ type: "webhook", url: "https://a.example/x" }, "webhook https://a.example/x"],
    [{ type: "email", to: ["a@b.example", "c@d.example"] }, "email a@b.example, c@d.example"],
    [{ type: "sns", topicArn: "arn:aws:sns:x" }, "sns arn:aws:sns:x"],
    [{ type: "sqs", queueUrl: "https://sqs/q" }, "sqs https://sqs/q"],
  ])("a sink is named by its place: %j", (sink, text) => {
    expect(sinkText(sink)).toBe(text);
  });
});
