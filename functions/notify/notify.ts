import type { AuditLog } from "../core/access.ts";
import type { JobStarts } from "../core/idempotency.ts";
import type { SubscriptionStore } from "../core/subscription-store.ts";
import { type CreationDeps, createSubscriptionCreation } from "./create-subscription.ts";
import { createDeliveries } from "./deliveries.ts";
import { createFindSubscription } from "./find-subscription.ts";
import { createRecordChange } from "./record-change.ts";
import { createRedeliveries } from "./redeliveries.ts";
import { createSecrets } from "./secrets.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { createEventTest, type TestDeps } from "./test-event.ts";

export type NotifyDeps = Omit<CreationDeps, "store" | "record"> &
  Pick<TestDeps, "events"> & {
    store: SubscriptionStore;
    starts: JobStarts;
    audit: Pick<AuditLog, "append">;
    /** 32 characters of 0-9 and a-f that begin with the time. */
    newId: () => string;
  };

/**
 * The verbs of requests: on subscriptions, and on the secrets, deliveries and redeliveries of each that the caller may see. Each
 * change is in the audit log before it happens, without any secret.
 */
export function createNotify(given: NotifyDeps) {
  const deps = { ...given, find: createFindSubscription(given), record: createRecordChange(given) };
  return {
    create: createSubscriptionCreation(deps),
    test: createEventTest(deps),
    subscriptions: createSubscriptions(deps),
    secrets: createSecrets(deps),
    deliveries: createDeliveries(deps),
    redeliveries: createRedeliveries(deps),
  };
}
