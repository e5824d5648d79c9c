import type { Notifier } from "../../core/notifier.ts";
import type { SinkType } from "../../core/subscription.ts";
import { failpoint } from "./failpoint.ts";

/** A notifier with places where a fault test may stop it. */
export function withFailpoints<Of extends SinkType>(notifier: Notifier<Of>): Notifier<Of> {
  return {
    check: (sink, deadline) => notifier.check(sink, deadline),
    async notify(notice, deadline) {
      FAILPOINT: await failpoint("beforeSendNotice");
      const outcome = await notifier.notify(notice, deadline);
      FAILPOINT: await failpoint("afterSendNotice");
      return outcome;
    },
  };
}
