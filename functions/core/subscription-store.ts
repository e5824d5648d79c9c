import type { Attempt, Delivery, DeliveryLedger, DeliveryState, FailureGroup } from "./delivery.ts";
import type { AllowedEvents } from "./ports.ts";
import type { FailureSelection, Redelivery, RedeliveryPlan } from "./redelivery.ts";
import type { Sink, Start, Subscription } from "./subscription.ts";

export type NewSubscription = Pick<
  Subscription,
  | "id"
  | "tenant"
  | "name"
  | "filter"
  | "allowed"
  | "sink"
  | "order"
  | "schedule"
  | "batch"
  | "rate"
  | "timeoutMs"
  | "keyId"
> & { start: Start; sealed: string | undefined };

/** Members that PUT may change. Undefined leaves one as it is; null takes it away. */
type SubscriptionChanges = {
  name?: string | undefined;
  filter?: string | null | undefined;
  allowed?: AllowedEvents | undefined;
  sink?: Sink | undefined;
  order?: Subscription["order"] | undefined;
  schedule?: Subscription["schedule"] | undefined;
  batch?: number | undefined;
  rate?: number | null | undefined;
  timeoutMs?: number | undefined;
};

export type ListPage<T> = { items: T[]; next: string | undefined };
export type PageOf = { after: string | undefined; limit: number };

/** Subscriptions and what happened to their deliveries, for requests. Every call may throw a DatabaseError. */
export type SubscriptionStore = {
  /** Writes a subscription. `expired`: its start is at a cursor that this database cannot follow. `full`: the tenant has SUBSCRIPTIONS_MAX. */
  create(subscription: NewSubscription, deadline: number): Promise<Subscription | "expired" | "full">;
  count(tenant: string, deadline: number): Promise<number>;
  read(tenant: string, id: string, deadline: number): Promise<Subscription | undefined>;
  list(tenant: string, page: PageOf, deadline: number): Promise<ListPage<Subscription>>;
  /** Without an order, deliveries that wait for others of their subject are free. Where many wait it may end too late, and goes on when it is called again. */
  change(tenant: string, id: string, changes: SubscriptionChanges, deadline: number): Promise<Subscription | undefined>;
  /** With everything that belongs to it. False where there is none. */
  remove(tenant: string, id: string, deadline: number): Promise<boolean>;
  /** Active closes the circuit, and makes what waits due now. Where much waits it may end too late, and goes on when it is called again. */
  setState(
    tenant: string,
    id: string,
    state: Subscription["state"],
    deadline: number,
  ): Promise<Subscription | undefined>;
  /** Goes on from another place. What is pending stays; events that matched already are delivered again under new ids. */
  seek(tenant: string, id: string, start: Start, deadline: number): Promise<Subscription | "expired" | undefined>;
  /** Adds a secret, and ends the others `overlapHours` from now. `fullUntil`: SECRETS_MAX sign and would go on, the first until then. */
  addSecret(
    tenant: string,
    id: string,
    sealed: string,
    overlapHours: number,
    deadline: number,
  ): Promise<Subscription | { fullUntil: string } | undefined>;
  ledger(tenant: string, id: string, deadline: number): Promise<DeliveryLedger | undefined>;
  listAttempts(
    tenant: string,
    id: string,
    selection: { status?: Attempt["status"]; code?: number; eventId?: string; from?: string; to?: string },
    page: PageOf,
    deadline: number,
  ): Promise<ListPage<Attempt>>;
  listDeliveries(
    tenant: string,
    id: string,
    selection: { state?: DeliveryState; eventId?: string },
    page: PageOf,
    deadline: number,
  ): Promise<ListPage<Delivery>>;
  groupFailures(tenant: string, id: string, deadline: number): Promise<FailureGroup[]>;
  planRedelivery(tenant: string, id: string, request: FailureSelection, deadline: number): Promise<RedeliveryPlan>;
  /** Writes a redelivery that begins; a worker takes its deliveries (DeliveryWork.redeliver). `full`: REDELIVERIES_MAX_RUNNING run. */
  startRedelivery(
    redelivery: Pick<Redelivery, "id" | "subscriptionId" | "request" | "planned" | "keyId">,
    deadline: number,
  ): Promise<Redelivery | "full">;
  readRedelivery(tenant: string, id: string, deadline: number): Promise<Redelivery | undefined>;
  listRedeliveries(
    tenant: string,
    subscriptionId: string,
    page: PageOf,
    deadline: number,
  ): Promise<ListPage<Redelivery>>;
  cancelRedelivery(tenant: string, id: string, deadline: number): Promise<Redelivery | undefined>;
};
