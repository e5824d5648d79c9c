import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import { explainFailure, type InvokeResult } from "../lambda/invoke.ts";
import { unlessAborted } from "../on-abort.ts";
import type { ScheduleModel } from "../template/model.ts";
import { periodMilliseconds } from "./expression.ts";

export type InvokeByArn = (functionArn: string, payload: string) => Promise<InvokeResult>;

export type Schedules = {
  /** Ends all schedules; resolves when the invocations under way have ended, or `giveUp` fires. */
  stop: (giveUp?: AbortSignal) => Promise<void>;
};

export type ScheduleOptions = { clock?: Clock; log?: (line: string) => void };

/**
 * Fires the schedules of the template. A rate counts from the start, as EventBridge counts from the rule's creation:
 * the first event comes one period later. Periods that a sleeping machine missed are skipped.
 * A failed invocation is logged; Lambda's two retries of asynchronous invocations are not emulated.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 * @throws Error for an expression that it cannot run
 */
export function startSchedules(
  schedules: ScheduleModel[],
  invokeByArn: InvokeByArn,
  { clock = systemClock, log = () => undefined }: ScheduleOptions = {},
): Schedules {
  const planned = schedules.map((schedule) => ({ schedule, period: periodMilliseconds(schedule.expression) }));
  const running = new Set<Promise<void>>();

  const fire = async ({ name, arn, functionArn, input }: ScheduleModel, time: number): Promise<void> => {
    const payload = input ?? JSON.stringify(scheduledEvent(arn, time));
    const result = await invokeByArn(functionArn, payload).catch(
      (error: unknown): InvokeResult => ({ kind: "crash", detail: String(error) }),
    );
    if (result.kind !== "success") log(`The schedule ${name} failed: ${explainFailure(result)}`);
  };

  const cancels = planned.map(({ schedule, period }) => {
    const start = clock.now();
    let cancel: () => void = () => undefined;
    const plan = (count: number): void => {
      const due = start + count * period;
      cancel = clock.after(Math.min(due - clock.now(), LONGEST_TIMER_MILLISECONDS), () => {
        const now = clock.now();
        if (now < due) return plan(count);
        const firing = fire(schedule, now).finally(() => running.delete(firing));
        running.add(firing);
        plan(Math.floor((now - start) / period) + 1);
      });
    };
    plan(1);
    return () => cancel();
  });

  return {
    stop: async (giveUp) => {
      for (const cancel of cancels) cancel();
      const ended = Promise.all(running);
      await (giveUp === undefined ? ended : unlessAborted(ended, giveUp, undefined));
    },
  };
}

/** The event of a target without an input; its time has whole seconds, in UTC. */
function scheduledEvent(ruleArn: string, time: number): object {
  const [, , , region, account] = ruleArn.split(":");
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account,
    time: new Date(time).toISOString().replace(/\.\d+Z$/, "Z"),
    region,
    resources: [ruleArn],
    detail: {},
  };
}

/** The largest delay of a Node timer; a longer one would fire at once. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;
