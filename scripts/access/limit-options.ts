import type { Command } from "commander";
import { positiveInteger } from "../../cli/option-values.ts";
import type { Limits } from "../../functions/core/access.ts";

export type LimitOptions = { [Name in keyof Limits]?: number };

export function addLimitOptions(command: Command): Command {
  return command
    .option("--events-per-second <n>", "events a second", positiveInteger("--events-per-second"))
    .option("--burst <n>", "events at once after a pause; it needs --events-per-second", positiveInteger("--burst"))
    .option("--requests-per-second <n>", "requests a second", positiveInteger("--requests-per-second"))
    .option("--events-per-day <n>", "events a UTC day", positiveInteger("--events-per-day"));
}

/** @throws Error for a burst of no rate, in the words of the options; the API refuses it too */
export function refuseBurstAlone(limits: Limits | undefined): void {
  if (limits?.burst !== undefined && limits.eventsPerSecond === undefined) {
    throw new Error("--burst needs --events-per-second.");
  }
}

/** The limits of the options that are there; undefined where there are none. */
export function toLimits({
  eventsPerSecond,
  burst,
  requestsPerSecond,
  eventsPerDay,
}: LimitOptions): Limits | undefined {
  const given = Object.entries({ eventsPerSecond, burst, requestsPerSecond, eventsPerDay }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? undefined : (Object.fromEntries(given) as Limits);
}

/** `10 events/s, 1000 events/day`; empty for no limits. */
export function describeLimits(limits: Limits = {}): string {
  const parts: [number | undefined, string][] = [
    [limits.eventsPerSecond, "events/s"],
    [limits.burst, "events at once"],
    [limits.requestsPerSecond, "requests/s"],
    [limits.eventsPerDay, "events/day"],
  ];
  return parts.flatMap(([number, unit]) => (number === undefined ? [] : `${number} ${unit}`)).join(", ");
}
