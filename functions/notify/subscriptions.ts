import type { Cursors } from "../core/cursor.ts";
import type { DeliveryLedger } from "../core/delivery.ts";
import { RequestError } from "../core/errors.ts";
import type { Notifiers } from "../core/notifier.ts";
import type { Clock } from "../core/ports.ts";
import type { Subscription } from "../core/subscription.ts";
import type { PageOf, SubscriptionStore } from "../core/subscription-store.ts";
import { maskSink } from "./answers.ts";
import { type BeginDeps, CHANGED_WITHOUT_WAKE, createBeginDeliveries } from "./begin-deliveries.ts";
import { type Caller, type FindSubscription, maySee, noSuchSubscription, present } from "./find-subscription.ts";
import { type Page, readPage } from "./pages.ts";
import type { RecordChange } from "./record-change.ts";
import { createRefuseSink } from "./refuse-sink.ts";
import { refuseCombination, type WantedChanges } from "./to-request.ts";
import { cursorExpired, toFilter, toStart } from "./to-start.ts";

export type SubscriptionDeps = BeginDeps & {
  store: Pick<SubscriptionStore, "list" | "ledger" | "change" | "remove" | "setState" | "seek">;
  find: FindSubscription;
  record: RecordChange;
  notifiers: Notifiers;
  cursors: Cursors;
  clock: Clock;
};

/** Reads, changes and ends subscriptions that the caller may see. */
export function createSubscriptions(deps: SubscriptionDeps) {
  const { store, find, record, cursors, clock } = deps;
  const { begin, letGo } = createBeginDeliveries(deps);
  const refuseSink = createRefuseSink(deps);

  return {
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
      if (mayLetGo && changed.state === "active") await begin(CHANGED_WITHOUT_WAKE, deadline);
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
      await begin(CHANGED_WITHOUT_WAKE, deadline);
      return enabled;
    },

    /** @throws RequestError `malformed_body`, `no_such_subscription`, `queue_unavailable`, and of the cursor; AccessError; DatabaseError */
    async seek(caller: Caller, id: string, from: string, deadline: number): Promise<Subscription> {
      const before = await find(caller, id, deadline);
      const filter = toFilter(before.filter);
      const start = await toStart(from, { caller, filter, cursors, now: clock() });
      await record(caller, "seek", id, { start });
      const sought = present(await store.seek(caller.tenant, id, start, deadline));
      if (sought === "expired") throw cursorExpired();
      if (sought.state === "active") await begin(CHANGED_WITHOUT_WAKE, deadline);
      return sought;
    },
  };
}
