import { RequestError } from "../core/errors.ts";
import { coversAll } from "../core/patterns.ts";
import type { Principal } from "../core/principal.ts";
import type { Subscription } from "../core/subscription.ts";
import type { SubscriptionStore } from "../core/subscription-store.ts";

/** The caller of a request about subscriptions. */
export type Caller = Pick<Principal, "tenant" | "keyId" | "types" | "sources"> & { requestId: string };

export type FindSubscription = (caller: Caller, id: string, deadline: number) => Promise<Subscription>;

/** Finds a subscription that the caller may see. @throws RequestError `no_such_subscription`; DatabaseError */
export const createFindSubscription =
  ({ store }: { store: Pick<SubscriptionStore, "read"> }): FindSubscription =>
  async (caller, id, deadline) => {
    const found = await store.read(caller.tenant, id, deadline);
    if (found !== undefined && maySee(caller, found)) return found;
    throw noSuchSubscription();
  };

/**
 * A key sees those alone that get no other events than it may read: it could send the events of any other to a sink of its own.
 */
export function maySee({ types, sources }: Pick<Caller, "types" | "sources">, { allowed }: Subscription): boolean {
  return coversAll(types, allowed.types) && coversAll(sources, allowed.sources);
}

/** @throws RequestError `no_such_subscription` where somebody has deleted it meanwhile */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw noSuchSubscription();
  return value;
}

export const noSuchSubscription = () =>
  new RequestError(
    "no_such_subscription",
    "The tenant has no subscription with this id that the key may see. `GET /subscriptions` lists them.",
  );
