import type { AuditLog } from "../core/access.ts";
import type { Cursors } from "../core/cursor.ts";
import { RequestError } from "../core/errors.ts";
import type { Reason } from "../core/filter/reason.ts";
import type { Filter } from "../core/filter/filter.ts";
import type { ListReader } from "../core/list-reader.ts";
import type { Notifier, Notifiers } from "../core/notifier.ts";
import { coversAll } from "../core/patterns.ts";
import type { Clock, EventReader } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import type {
  DeliveryLedger,
  PageOf,
  Sink,
  SubscribedMark,
  Subscription,
  SubscriptionStore,
  Wakes,
} from "../core/subscription.ts";
import { SECRETS_MAX, SINK_CHECK_MS, SUBSCRIPTIONS_MAX } from "../core/subscription-limits.ts";
import { maskSink } from "./answers.ts";
import { explainMatch, findTested, type TestedEvent } from "./explain-match.ts";
import { createMatches, type Matches } from "./matches.ts";
import { type Page, readPage } from "./pages.ts";
import { refuseCombination, type Wanted, type WantedChanges } from "./to-request.ts";
import { toFilter, toStart } from "./to-start.ts";

export type SubscriptionDeps = {
  store: SubscriptionStore;
  notifiers: Notifiers;
  wakes: Wakes;
  mark: Pick<SubscribedMark, "set">;
  audit: Pick<AuditLog, "append">;
  /** Lists events, for the matches of the last day. */
  reader: ListReader;
  /** Reads one event, for a test by its id. */
  events: EventReader;
  cursors: Cursors;
  /** Makes a secret for a subscription: its text and public key to show, and both sealed to keep. @throws AccessError */
  newSecret: (subscriptionId: string) => Promise<{ text: string; publicKey: string; sealed: string }>;
  clock: Clock;
  /** 32 characters of 0-9 and a-f that begin with the time. */
  newId: () => string;
};

/** The caller of a request about subscriptions. */
export type Caller = Pick<Principal, "tenant" | "keyId" | "types" | "sources"> & { requestId: string };

/** The keys of webhooks, which are shown once. */
type ShownSecret = { secret: string; publicKey: string };

export type Made = {
  subscription: Subscription;
  secret: ShownSecret | undefined;
  matches: Matches;
  warning: string | undefined;
};

/**
 * Makes, changes and ends subscriptions. A key sees those alone that get no other events than it may read: it could send
 * the events of any other to a sink of its own. Each change is in the audit log before it happens, without any secret.
 */
export function createSubscriptions({
  store,
  notifiers,
  wakes,
  mark,
  audit,
  reader,
  events,
  cursors,
  newSecret,
  clock,
  newId,
}: SubscriptionDeps) {
  const matchesOf = createMatches({ reader, clock });

  const record = ({ tenant, keyId, requestId }: Caller, action: string, target: string, details: object) =>
    audit.append({
      tenant,
      at: clock().toISOString(),
      who: keyId,
      action: `subscription.${action}`,
      target,
      details: { ...details },
      requestId,
    });

  /** @throws RequestError `no_such_subscription`; DatabaseError */
  async function find(caller: Omit<Caller, "requestId">, id: string, deadline: number): Promise<Subscription> {
    const found = await store.read(caller.tenant, id, deadline);
    if (found !== undefined && maySee(caller, found)) return found;
    throw noSuchSubscription();
  }

  /**
   * Lets deliveries begin: from the new mark on the consumer sends wake-ups, and this one is for what was stored before.
   * @throws RequestError `queue_unavailable`; AccessError
   */
  async function wake(detail: string, deadline: number): Promise<void> {
    await mark.set(newId());
    if (!(await wakes.send({}, 0, deadline))) throw new RequestError("queue_unavailable", detail);
  }

  /** @throws RequestError `bad_sink` */
  async function refuseSink(sink: Sink, deadline: number): Promise<void> {
    const notifier = notifiers[sink.type] as Notifier;
    const fault = await notifier.check(sink, Math.min(deadline, clock().getTime() + SINK_CHECK_MS));
    if (fault !== undefined) throw new RequestError("bad_sink", `sink: ${fault}`.replace(/\.?$/, "."));
  }

  async function refuseTooMany(tenant: string, deadline: number): Promise<void> {
    const count = await store.count(tenant, deadline);
    if (count >= SUBSCRIPTIONS_MAX) throw tooMany(count);
  }

  /** Waits for a change that lets deliveries go. Where it ended too late, workers begin with those that it has let go. */
  async function letGo<T>(change: Promise<T>, deadline: number): Promise<T> {
    return change.catch(async (error: unknown) => {
      await wakes.send({}, 0, deadline);
      throw error;
    });
  }

  const startOf = (from: string, caller: Caller, filter: Filter | undefined) =>
    toStart(from, { caller, filter, cursors, now: clock() });

  return {
    find,
    record,

    /**
     * Makes a subscription. Where its deliveries could not begin, it is taken back: an event that is stored after the answer is
     * never missed.
     * @throws RequestError `malformed_body`, `bad_sink`, `too_many_subscriptions`, `queue_unavailable`, and of the cursor;
     * AccessError; DatabaseError
     */
    async create(caller: Caller, wanted: Wanted, deadline: number): Promise<Made> {
      const { tenant, keyId, types, sources } = caller;
      const { filter, from, ...members } = wanted;
      const start = await startOf(from, caller, filter);
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
      if (subscription === "expired") throw expired();
      if (subscription === "full") throw tooMany(SUBSCRIPTIONS_MAX);
      try {
        await wake("Nothing was made. Send the request again after Retry-After.", deadline);
      } catch (error) {
        // Where this fails too, the list shows a subscription whose secret nobody has.
        await store.remove(tenant, id, deadline).catch(() => undefined);
        throw error;
      }
      const shown = secret && { secret: secret.text, publicKey: secret.publicKey };
      return { subscription, secret: shown, matches, warning: warningOf(matches) };
    },

    /** The subscriptions that the caller may see. @throws RequestError of the cursor; AccessError; DatabaseError */
    async list(caller: Caller, page: PageOf, deadline: number): Promise<Page<Subscription>> {
      const { tenant } = caller;
      const { items, next } = await readPage(cursors, { ...page, tenant, list: ["subscriptions"] }, (part) =>
        store.list(tenant, part, deadline),
      );
      return { items: items.filter((each) => maySee(caller, each)), next };
    },

    /** A subscription and its ledger. @throws RequestError `no_such_subscription`; DatabaseError */
    async read(caller: Caller, id: string, deadline: number): Promise<Subscription & { ledger: DeliveryLedger }> {
      const found = await find(caller, id, deadline);
      const ledger = present(await store.ledger(caller.tenant, id, deadline));
      return { ...found, ledger };
    },

    /**
     * Changes members; some let go what waits.
     * @throws RequestError `malformed_body`, `bad_sink`, `no_such_subscription`, `queue_unavailable`; AccessError; DatabaseError
     */
    async change(caller: Caller, id: string, wanted: WantedChanges, deadline: number): Promise<Subscription> {
      const { sink, order, schedule, batch, name, timeoutMs, rate } = wanted;
      const before = await find(caller, id, deadline);
      if (sink !== undefined && sink.type !== before.sink.type) {
        throw new RequestError(
          "bad_sink",
          `sink: is of type ${before.sink.type}, and cannot become one of type ${sink.type}. Make another subscription, and delete this one.`,
        );
      }
      refuseCombination({
        sink: sink ?? before.sink,
        order: order ?? before.order,
        batch: batch ?? before.batch,
      });
      if (sink !== undefined) await refuseSink(sink, deadline);
      const filter = wanted.filter && JSON.stringify(wanted.filter);
      const changes = { name, filter, sink, order, schedule, batch, rate, timeoutMs };
      await record(caller, "change", id, { ...changes, sink: sink && maskSink(sink) });
      const changed = present(await letGo(store.change(caller.tenant, id, changes, deadline), deadline));
      const mayLetGo = [sink, order, rate, filter].some((each) => each !== undefined);
      if (mayLetGo && changed.state === "active") await wake(CHANGED_WITHOUT_WAKE, deadline);
      return changed;
    },

    /** @throws RequestError `no_such_subscription`; AccessError; DatabaseError */
    async remove(caller: Caller, id: string, deadline: number): Promise<void> {
      const { name } = await find(caller, id, deadline);
      await record(caller, "delete", id, { name });
      if (!(await store.remove(caller.tenant, id, deadline))) throw noSuchSubscription();
    },

    /** @throws RequestError `no_such_subscription`; AccessError; DatabaseError */
    async disable(caller: Caller, id: string, deadline: number): Promise<Subscription> {
      const before = await find(caller, id, deadline);
      if (before.state === "disabled") return before;
      await record(caller, "disable", id, {});
      return present(await store.setState(caller.tenant, id, "disabled", deadline));
    },

    /** @throws RequestError `no_such_subscription`, `queue_unavailable`; AccessError; DatabaseError */
    async enable(caller: Caller, id: string, deadline: number): Promise<Subscription> {
      await find(caller, id, deadline);
      await record(caller, "enable", id, {});
      const enabled = present(await letGo(store.setState(caller.tenant, id, "active", deadline), deadline));
      await wake(CHANGED_WITHOUT_WAKE, deadline);
      return enabled;
    },

    /** @throws RequestError `malformed_body`, `no_such_subscription`, `queue_unavailable`, and of the cursor; AccessError; DatabaseError */
    async seek(caller: Caller, id: string, from: string, deadline: number): Promise<Subscription> {
      const before = await find(caller, id, deadline);
      const start = await startOf(from, caller, toFilter(before.filter));
      await record(caller, "seek", id, { start });
      const sought = present(await store.seek(caller.tenant, id, start, deadline));
      if (sought === "expired") throw expired();
      if (sought.state === "active") await wake(CHANGED_WITHOUT_WAKE, deadline);
      return sought;
    },

    /** @throws RequestError `no_such_subscription`, `sink_unsigned`, `too_many_secrets`; AccessError; DatabaseError */
    async rotate(
      caller: Caller,
      id: string,
      overlapHours: number,
      deadline: number,
    ): Promise<{ subscription: Subscription; secret: ShownSecret }> {
      const { sink } = await find(caller, id, deadline);
      if (sink.type !== "webhook") {
        throw new RequestError(
          "sink_unsigned",
          `Only webhooks are signed; a sink of type ${sink.type} has no secret to rotate.`,
        );
      }
      const { text, publicKey, sealed } = await newSecret(id);
      await record(caller, "rotate", id, { overlapHours });
      const subscription = present(await store.addSecret(caller.tenant, id, sealed, overlapHours, deadline));
      if ("fullUntil" in subscription) {
        throw new RequestError(
          "too_many_secrets",
          `${SECRETS_MAX} secrets sign, as many as may at once; the first one ends at ${subscription.fullUntil}. Rotate then, or send "overlapHours": 0, which ends all of them now.`,
        );
      }
      return { subscription, secret: { secret: text, publicKey } };
    },

    /** The reasons why an event does not match a filter, or a subscription. @throws RequestError `no_such_subscription` and others */
    async test(
      caller: Caller,
      { of, event: tested }: { of: { filter: Filter } | { subscription: string }; event: TestedEvent },
      deadline: number,
    ): Promise<Reason[]> {
      const { filter, allowed } = "filter" in of ? { ...of, allowed: caller } : await filterOf(of.subscription);
      return explainMatch(filter, allowed, await findTested(tested, caller, { events, deadline }));

      async function filterOf(id: string) {
        const { filter, allowed } = await find(caller, id, deadline);
        return { filter: toFilter(filter), allowed };
      }
    },
  };
}

function maySee({ types, sources }: Pick<Caller, "types" | "sources">, { allowed }: Subscription): boolean {
  return coversAll(types, allowed.types) && coversAll(sources, allowed.sources);
}

/** @throws RequestError `no_such_subscription` where somebody has deleted it meanwhile */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw noSuchSubscription();
  return value;
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

const noSuchSubscription = () =>
  new RequestError(
    "no_such_subscription",
    "The tenant has no subscription with this id that the key may see. `GET /subscriptions` lists them.",
  );

const expired = () =>
  new RequestError(
    "cursor_expired",
    "from: the database has not all events behind this cursor: it was restored, or they are no longer retained. Send a time, or `now`.",
  );

const CHANGED_WITHOUT_WAKE =
  "It is changed, and goes on with the next event that is stored. Send the request again after Retry-After to let it go on now.";
