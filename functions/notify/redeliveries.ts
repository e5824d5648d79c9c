import type { Cursors } from "../core/cursor.ts";
import { RequestError } from "../core/errors.ts";
import { beginOnce, type JobStarts, type Once, withinPlan } from "../core/idempotency.ts";
import type { FailureSelection, Redelivery, RedeliveryPlan } from "../core/redelivery.ts";
import type { PageOf, SubscriptionStore } from "../core/subscription-store.ts";
import type { Wakes } from "../core/wakes.ts";
import { REDELIVERIES_MAX_RUNNING, REDELIVERIES_PAGE } from "../core/subscription-limits.ts";
import type { Caller, FindSubscription } from "./find-subscription.ts";
import { type Page, readPage } from "./pages.ts";
import type { RecordChange } from "./record-change.ts";

export type RedeliveryDeps = {
  store: SubscriptionStore;
  starts: JobStarts;
  find: FindSubscription;
  record: RecordChange;
  wakes: Wakes;
  cursors: Cursors;
  newId: () => string;
};

/** `planned`: the number of a plan, which the redelivery may not exceed. */
export type WantedRedelivery = { request: FailureSelection; planned?: number | undefined };

/** Failed deliveries as a job: plan, start, progress, cancel. Everything is of one subscription that the caller may see. */
export function createRedeliveries({ store, starts, find, record, wakes, cursors, newId }: RedeliveryDeps) {
  async function read(caller: Caller, subscriptionId: string, id: string, deadline: number): Promise<Redelivery> {
    await find(caller, subscriptionId, deadline);
    const found = await store.readRedelivery(caller.tenant, id, deadline);
    if (found?.subscriptionId === subscriptionId) return found;
    throw new RequestError(
      "no_such_redelivery",
      "The subscription has no redelivery with this id. `GET /subscriptions/{id}/retries` lists them.",
    );
  }

  async function refuseTooMany(tenant: string, subscriptionId: string, deadline: number): Promise<void> {
    const page = { after: undefined, limit: REDELIVERIES_PAGE };
    const { items } = await store.listRedeliveries(tenant, subscriptionId, page, deadline);
    const running = items.filter(({ state }) => state === "running").length;
    if (running >= REDELIVERIES_MAX_RUNNING) throw tooMany(running);
  }

  async function begin(
    caller: Caller,
    subscriptionId: string,
    wanted: WantedRedelivery,
    id: string,
    deadline: number,
  ): Promise<Redelivery> {
    const { tenant, keyId } = caller;
    await refuseTooMany(tenant, subscriptionId, deadline);
    const { planned } = await store.planRedelivery(tenant, subscriptionId, wanted.request, deadline);
    const request = withinPlan(wanted.request, planned, wanted.planned);
    await record(caller, "retry", subscriptionId, { ...request, id, planned });
    const started = await store.startRedelivery({ id, subscriptionId, request, planned, keyId }, deadline);
    if (started === "full") throw tooMany(REDELIVERIES_MAX_RUNNING);
    if (await wakes.send({}, 0, deadline)) return started;
    await store.cancelRedelivery(tenant, id, deadline);
    throw new RequestError("queue_unavailable", "Nothing began. Send the request again after Retry-After.");
  }

  return {
    /** @throws RequestError `no_such_subscription`, `no_such_redelivery`; DatabaseError */
    read,

    /** Says how many failed deliveries a redelivery would take; nothing begins. @throws as `find` */
    async plan(caller: Caller, id: string, request: FailureSelection, deadline: number): Promise<RedeliveryPlan> {
      await find(caller, id, deadline);
      return store.planRedelivery(caller.tenant, id, request, deadline);
    },

    /**
     * Starts a redelivery, or returns the one that the same idempotency key has started. Where no worker could be woken for it,
     * it is cancelled, and its key forgotten.
     * @throws RequestError `no_such_subscription`, `plan_changed`, `too_many_redeliveries`, `idempotency_key_reused`,
     * `queue_unavailable`; AccessError; DatabaseError
     */
    async start(caller: Caller, subscriptionId: string, wanted: WantedRedelivery, deadline: number, once?: Once) {
      await find(caller, subscriptionId, deadline);
      return beginOnce(
        starts,
        caller,
        once,
        {
          newId: () => `rdl_${newId()}`,
          async read(id) {
            const found = await store.readRedelivery(caller.tenant, id, deadline);
            return found?.state === "cancelled" && found.taken === 0 ? undefined : found;
          },
          begin: (id) => begin(caller, subscriptionId, wanted, id, deadline),
        },
        deadline,
      );
    },

    /** The redeliveries of a subscription, latest first. @throws RequestError `no_such_subscription`, of the cursor; DatabaseError */
    async list(caller: Caller, id: string, page: PageOf, deadline: number): Promise<Page<Redelivery>> {
      const { tenant } = caller;
      await find(caller, id, deadline);
      return readPage(cursors, { ...page, tenant, list: ["retries", id] }, (part) =>
        store.listRedeliveries(tenant, id, part, deadline),
      );
    },

    /**
     * Ends a redelivery: it takes no more deliveries.
     * @throws RequestError `no_such_subscription`, `no_such_redelivery`, `redelivery_finished`; AccessError; DatabaseError
     */
    async cancel(caller: Caller, subscriptionId: string, id: string, deadline: number): Promise<Redelivery> {
      const found = await read(caller, subscriptionId, id, deadline);
      if (found.state === "cancelled") return found;
      if (found.state === "done") {
        throw new RequestError("redelivery_finished", "It is done already; it cannot be cancelled.");
      }
      await record(caller, "retry.cancel", subscriptionId, { id });
      return (await store.cancelRedelivery(caller.tenant, id, deadline)) ?? found;
    },
  };
}

const tooMany = (running: number) =>
  new RequestError(
    "too_many_redeliveries",
    `The subscription has ${running} redeliveries that are not finished, and may have ${REDELIVERIES_MAX_RUNNING}. Wait for one, or cancel one with POST /subscriptions/{id}/retries/{retryId}/cancel.`,
  );
