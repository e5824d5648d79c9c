import type { Cursors } from "../core/cursor.ts";
import type { Attempt, Delivery, DeliveryState, FailureGroup } from "../core/delivery.ts";
import type { PageOf, SubscriptionStore } from "../core/subscription-store.ts";
import type { Caller, FindSubscription } from "./find-subscription.ts";
import { type Page, readPage } from "./pages.ts";

export type DeliveryDeps = {
  store: Pick<SubscriptionStore, "listAttempts" | "listDeliveries" | "groupFailures">;
  find: FindSubscription;
  cursors: Cursors;
};

export type AttemptSelection = {
  status: Attempt["status"] | undefined;
  code: number | undefined;
  eventId: string | undefined;
  from: string | undefined;
  to: string | undefined;
};

/** Reads what happened to the deliveries of a subscription that the caller may see. */
export function createDeliveries({ store, find, cursors }: DeliveryDeps) {
  return {
    /** @throws RequestError `no_such_subscription`, of the cursor; AccessError; DatabaseError */
    async attempts(
      caller: Caller,
      id: string,
      wanted: AttemptSelection,
      page: PageOf,
      deadline: number,
    ): Promise<Page<Attempt>> {
      const { tenant } = caller;
      const { status, code, eventId, from, to } = wanted;
      await find(caller, id, deadline);
      const selection = {
        ...(status !== undefined && { status }),
        ...(code !== undefined && { code }),
        ...(eventId !== undefined && { eventId }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
      };
      return readPage(cursors, { ...page, tenant, list: ["attempts", id, selection] }, (part) =>
        store.listAttempts(tenant, id, selection, part, deadline),
      );
    },

    /** @throws RequestError `no_such_subscription`, of the cursor; AccessError; DatabaseError */
    async list(
      caller: Caller,
      id: string,
      { state, eventId }: { state: DeliveryState | undefined; eventId: string | undefined },
      page: PageOf,
      deadline: number,
    ): Promise<Page<Delivery>> {
      const { tenant } = caller;
      await find(caller, id, deadline);
      const selection = { ...(state !== undefined && { state }), ...(eventId !== undefined && { eventId }) };
      return readPage(cursors, { ...page, tenant, list: ["deliveries", id, selection] }, (part) =>
        store.listDeliveries(tenant, id, selection, part, deadline),
      );
    },

    /** @throws RequestError `no_such_subscription`; DatabaseError */
    async failures(caller: Caller, id: string, deadline: number): Promise<FailureGroup[]> {
      await find(caller, id, deadline);
      return store.groupFailures(caller.tenant, id, deadline);
    },
  };
}
