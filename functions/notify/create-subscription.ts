import type { Cursors } from "../core/cursor.ts";
import { RequestError } from "../core/errors.ts";
import type { ListReader } from "../core/list-reader.ts";
import type { Notifiers } from "../core/notifier.ts";
import type { Clock } from "../core/ports.ts";
import type { Subscription } from "../core/subscription.ts";
import { SUBSCRIPTIONS_MAX } from "../core/subscription-limits.ts";
import type { SubscriptionStore } from "../core/subscription-store.ts";
import { maskSink } from "./answers.ts";
import { type BeginDeps, createBeginDeliveries } from "./begin-deliveries.ts";
import type { Caller } from "./find-subscription.ts";
import { createMatches, type Matches } from "./matches.ts";
import type { RecordChange } from "./record-change.ts";
import { createRefuseSink } from "./refuse-sink.ts";
import type { NewSecret, ShownSecret } from "./secrets.ts";
import type { Wanted } from "./to-request.ts";
import { cursorExpired, toStart } from "./to-start.ts";

export type CreationDeps = BeginDeps & {
  store: Pick<SubscriptionStore, "count" | "create" | "remove">;
  notifiers: Notifiers;
  record: RecordChange;
  /** Lists events, for the matches of the last day. */
  reader: ListReader;
  cursors: Cursors;
  newSecret: NewSecret;
  clock: Clock;
};

export type Made = {
  subscription: Subscription;
  secret: ShownSecret | undefined;
  matches: Matches;
  warning: string | undefined;
};

/**
 * Makes a subscription. Where its deliveries could not begin, it is taken back: an event that is stored after the answer is
 * never missed.
 * @throws RequestError `malformed_body`, `bad_sink`, `too_many_subscriptions`, `queue_unavailable`, and of the cursor;
 * AccessError; DatabaseError
 */
export function createSubscriptionCreation(deps: CreationDeps) {
  const { store, record, cursors, newSecret, clock, newId } = deps;
  const { begin } = createBeginDeliveries(deps);
  const refuseSink = createRefuseSink(deps);
  const matchesOf = createMatches(deps);

  async function refuseTooMany(tenant: string, deadline: number): Promise<void> {
    const count = await store.count(tenant, deadline);
    if (count >= SUBSCRIPTIONS_MAX) throw tooMany(count);
  }

  return async function create(caller: Caller, wanted: Wanted, deadline: number): Promise<Made> {
    const { tenant, keyId, types, sources } = caller;
    const { filter, from, ...members } = wanted;
    const start = await toStart(from, { caller, filter, cursors, now: clock() });
    await refuseTooMany(tenant, deadline);
    await refuseSink(wanted.sink, deadline);
    const matches = await matchesOf(caller, filter, deadline);
    const id = `sub_${newId()}`;
    const secret = wanted.sink.type === "webhook" ? await newSecret(id) : undefined;
    const kept = { ...members, filter: filter && JSON.stringify(filter) };
    await record(caller, "create", id, { ...kept, sink: maskSink(wanted.sink), start, types, sources });
    const allowed = { types, sources };
    const subscription = await store.create(
      { id, tenant, keyId, allowed, ...kept, start, sealed: secret?.sealed },
      deadline,
    );
    if (subscription === "expired") throw cursorExpired();
    if (subscription === "full") throw tooMany(SUBSCRIPTIONS_MAX);
    try {
      await begin("Nothing was made. Send the request again after Retry-After.", deadline);
    } catch (error) {
      // Where this fails too, the list shows a subscription whose secret nobody has.
      await store.remove(tenant, id, deadline).catch(() => undefined);
      throw error;
    }
    const shown = secret && { secret: secret.text, publicKey: secret.publicKey };
    return { subscription, secret: shown, matches, warning: warningOf(matches) };
  };
}

function warningOf({ count, isComplete }: Matches): string | undefined {
  if (!isComplete || count > 0) return undefined;
  return "No event of the last day matches. POST /subscriptions/test says why a certain event does not.";
}

const tooMany = (count: number) =>
  new RequestError(
    "too_many_subscriptions",
    `The tenant has ${count} subscriptions, and may have ${SUBSCRIPTIONS_MAX}. Delete one with DELETE /subscriptions/{id}, or widen the filter of one with PUT.`,
  );
