import { RequestError } from "../core/errors.ts";
import type { Filter } from "../core/filter/filter.ts";
import { filterFromBody } from "../core/filter/from-body.ts";
import { toMicroseconds } from "../core/instant.ts";
import type { FailureSelection } from "../core/redelivery.ts";
import type { Subscription } from "../core/subscription.ts";
import type { NewSubscription } from "../core/subscription-store.ts";
import type { NewRedeliveryBody, NewSubscriptionBody, SubscriptionChangesBody } from "../core/subscription-bodies.ts";

/** A subscription that somebody wants, checked but for its sink and its start. */
export type Wanted = Pick<NewSubscription, "name" | "sink" | "order" | "schedule" | "batch" | "rate" | "timeoutMs"> & {
  filter: Filter | undefined;
  from: string;
};

/** Members that somebody wants to change; null takes one away. */
export type WantedChanges = {
  [Name in Exclude<keyof Wanted, "from" | "filter" | "rate">]?: Wanted[Name] | undefined;
} & { filter?: Filter | null | undefined; rate?: number | null | undefined };

/**
 * A new subscription. The filter is read from the text of the body, because its numbers may have more digits than a double keeps.
 * @throws RequestError `bad_filter`, `malformed_body`
 */
export function toWanted({ filter: _parsed, sink, rate, ...body }: NewSubscriptionBody, text: Uint8Array): Wanted {
  const wanted = { ...body, sink, rate, filter: filterFromBody(text) };
  refuseCombination(wanted);
  return wanted;
}

/** @throws RequestError `bad_filter`, `malformed_body` */
export function toWantedChanges({ filter, sink, ...body }: SubscriptionChangesBody, text: Uint8Array): WantedChanges {
  const changes = {
    ...body,
    sink,
    filter: filter === null ? null : filterFromBody(text),
  };
  if (Object.values(changes).every((each) => each === undefined)) {
    throw malformed("it changes nothing. Send the members that are to change, for example `name`");
  }
  return changes;
}

/** Batches have one form, and a request of several events has no order of its own. @throws RequestError `malformed_body` */
export function refuseCombination({ sink, order, batch }: Pick<Subscription, "sink" | "order" | "batch">): void {
  if (batch === 1) return;
  if (sink.type !== "webhook") throw malformed(`batch: only webhooks have batches; a sink of type ${sink.type} has 1`);
  if (order !== "none")
    throw malformed("batch: order `subject` sends one event at a time. Leave out batch, or the order");
  if (sink.format === "binary") {
    throw malformed("batch: the format `binary` has one event a request. Leave out batch, or the format");
  }
}

/** The failed deliveries that a redelivery means. @throws RequestError `bad_filter`, `malformed_body` */
export function toFailureSelection(body: Omit<NewRedeliveryBody, "dryRun">, text: Uint8Array): FailureSelection {
  const { codes, limit } = body;
  const filter = filterFromBody(text);
  const [from, to] = [toInstant(body.from), toInstant(body.to)];
  if (from !== undefined && to !== undefined && from >= to) {
    throw malformed("to: is not after from, so no delivery can match");
  }
  return {
    ...(filter !== undefined && { filter: JSON.stringify(filter) }),
    ...(codes !== undefined && { codes }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(limit !== undefined && { limit }),
  };
}

export const malformed = (fault: string) => new RequestError("malformed_body", `The body is not valid: ${fault}.`);

/** RFC 3339 has instants that PostgreSQL refuses. */
export const toInstant = (text: string | undefined) => (text === undefined ? undefined : toMicroseconds(text));
