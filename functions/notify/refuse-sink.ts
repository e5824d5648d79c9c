import { RequestError } from "../core/errors.ts";
import type { Notifier, Notifiers } from "../core/notifier.ts";
import type { Clock } from "../core/ports.ts";
import type { Sink } from "../core/subscription.ts";
import { SINK_CHECK_MS } from "../core/subscription-limits.ts";

/** Refuses a sink that its notifier would not deliver to. @throws RequestError `bad_sink` */
export const createRefuseSink =
  ({ notifiers, clock }: { notifiers: Notifiers; clock: Clock }) =>
  async (sink: Sink, deadline: number): Promise<void> => {
    const notifier = notifiers[sink.type] as Notifier;
    const fault = await notifier.check(sink, Math.min(deadline, clock().getTime() + SINK_CHECK_MS));
    if (fault !== undefined) throw new RequestError("bad_sink", `sink: ${fault}`.replace(/\.?$/, "."));
  };
