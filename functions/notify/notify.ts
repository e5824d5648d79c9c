import { createDeliveries } from "./deliveries.ts";
import { createRedeliveries } from "./redeliveries.ts";
import { createSubscriptions, type SubscriptionDeps } from "./subscriptions.ts";

/** The verbs of requests: on subscriptions, and on the deliveries and redeliveries of each that the caller may see. */
export function createNotify(deps: SubscriptionDeps) {
  const subscriptions = createSubscriptions(deps);
  return {
    subscriptions,
    deliveries: createDeliveries({ ...deps, subscriptions }),
    redeliveries: createRedeliveries({ ...deps, subscriptions }),
  };
}
