import { parseLossless } from "../core/lossless-json.ts";
import type { Attempt, Delivery, FailureGroup } from "../core/delivery.ts";
import type { Redelivery } from "../core/redelivery.ts";
import type { Sink, Subscription } from "../core/subscription.ts";
import type {
  AttemptAnswer,
  DeliveryAnswer,
  FailureGroupAnswer,
  RedeliveryAnswer,
  SubscriptionAnswer,
} from "../core/subscription-answers.ts";
import { MASK } from "../core/subscription-bodies.ts";
import type { Made } from "./create-subscription.ts";

/** A subscription as answers have it. */
export function toAnswer({ tenant: _tenant, filter, allowed, sink, ...rest }: Subscription): SubscriptionAnswer {
  return {
    ...rest,
    ...(filter !== undefined && { filter: parseLossless(filter).lossless }),
    sink: maskSink(sink),
    types: copy(allowed.types),
    sources: copy(allowed.sources),
  };
}

/** The answer to a creation. The events are texts that stand in it as they are. */
export function writeMade({ subscription, secret, matches, warning }: Made): string {
  const { count, isComplete, events } = matches;
  const head = JSON.stringify({ ...toAnswer(subscription), ...secret, warning });
  return `${head.slice(0, -1)},"matches":{"count":${count},"complete":${isComplete},"events":[${events.join(",")}]}}`;
}

/**
 * A sink without what others could use: the values of its headers, the query of its URL, and of a chat the path too, which is
 * its secret. The schema of a sink refuses a mask, so that none is taken for the text behind it.
 */
export function maskSink(sink: Sink): Sink {
  switch (sink.type) {
    case "webhook": {
      const { url, headers, ...rest } = sink;
      const names = headers && Object.fromEntries(Object.keys(headers).map((name) => [name, MASK]));
      return { ...rest, url: url.replace(/\?.*$/s, `?${MASK}`), ...(names !== undefined && { headers: names }) };
    }
    case "slack":
      return { ...sink, url: `${URL.parse(sink.url)?.origin ?? ""}/${MASK}` };
    case "email":
    case "sns":
    case "sqs":
      return sink;
  }
}

export const toAttemptAnswer = (attempt: Attempt): AttemptAnswer => ({ ...attempt, code: attempt.code ?? null });

export function toDeliveryAnswer({ subscriptionId: _id, ...delivery }: Delivery): DeliveryAnswer {
  return { ...delivery, code: delivery.code ?? null };
}

export const toGroupAnswer = (group: FailureGroup): FailureGroupAnswer => ({
  ...group,
  code: group.code ?? null,
  sample: toDeliveryAnswer(group.sample),
});

export function toRedeliveryAnswer({ request: { filter, ...rest }, ...redelivery }: Redelivery): RedeliveryAnswer {
  return {
    ...redelivery,
    request: { ...(filter !== undefined && { filter: parseLossless(filter).lossless }), ...rest },
  };
}

const copy = (texts: readonly string[] | undefined) => (texts === undefined ? undefined : [...texts]);
