import { time } from "../../parts/format.ts";
import type { Subscription } from "../../types.ts";

/** The state of a subscription as people see it, and what to do about it. */
export type Standing = { label: string; tone: "good" | "warn" | "bad" | "off"; advice: string };

export function standingOf(subscription: Subscription, now: string): Standing {
  const { state, disabledReason, failingSince, openUntil } = subscription;
  if (state === "disabled") return DISABLED[disabledReason ?? "requested"];
  if (openUntil !== undefined && openUntil > now)
    return {
      label: "circuit open",
      tone: "bad",
      advice: `One attempt a minute until one succeeds; the next at ${time(openUntil)}.`,
    };
  if (failingSince !== undefined)
    return {
      label: "failing",
      tone: "warn",
      advice: `No success since ${time(failingSince)}. After 120 hours it is disabled.`,
    };
  return { label: "active", tone: "good", advice: "" };
}

const DISABLED: Readonly<Record<NonNullable<Subscription["disabledReason"]>, Standing>> = {
  requested: {
    label: "disabled",
    tone: "off",
    advice: "Somebody disabled it. It keeps its place and loses nothing: enable it to go on.",
  },
  sink_ended: {
    label: "disabled: sink ended",
    tone: "bad",
    advice: "The sink answered 410. Give it another sink, then enable it.",
  },
  sink_failing: {
    label: "disabled: sink failing",
    tone: "bad",
    advice: "No attempt has succeeded for 120 hours. Repair the sink, then enable it.",
  },
};

/** The place to which a sink leads, for lists. */
export function sinkText(sink: Subscription["sink"]): string {
  const places = [sink["url"], sink["topicArn"], sink["queueUrl"], sink["to"]].flat();
  return [sink.type, places.filter((place) => typeof place === "string").join(", ")].join(" ").trim();
}

/** The class of a badge by the tone. */
export const TONE_CLASSES = { good: "good", warn: "warn", bad: "bad", off: "" } as const;
