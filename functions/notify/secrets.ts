import { RequestError } from "../core/errors.ts";
import type { Subscription } from "../core/subscription.ts";
import { SECRETS_MAX } from "../core/subscription-limits.ts";
import type { SubscriptionStore } from "../core/subscription-store.ts";
import { type Caller, type FindSubscription, present } from "./find-subscription.ts";
import type { RecordChange } from "./record-change.ts";

/** Makes a secret for a subscription: its text and public key to show, and both sealed to keep. @throws AccessError */
export type NewSecret = (subscriptionId: string) => Promise<{ text: string; publicKey: string; sealed: string }>;

/** The keys of webhooks, which are shown once. */
export type ShownSecret = { secret: string; publicKey: string };

export type SecretDeps = {
  store: Pick<SubscriptionStore, "addSecret">;
  find: FindSubscription;
  record: RecordChange;
  newSecret: NewSecret;
};

/** The secrets of a subscription, under which its webhooks are signed. */
export function createSecrets({ store, find, record, newSecret }: SecretDeps) {
  return {
    /**
     * Adds a secret, and lets the others sign for some hours more.
     * @throws RequestError `no_such_subscription`, `sink_unsigned`, `too_many_secrets`; AccessError; DatabaseError
     */
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
  };
}
