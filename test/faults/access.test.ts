import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { makeKey } from "../../functions/core/key.ts";
import { RECORD_FRESH_MS } from "../../functions/core/record-cache.ts";
import { startArrivals } from "./support/arrivals.ts";
import { faultCase, sized } from "./support/fault-case.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";

let stack: FaultStack;
beforeAll(async () => {
  stack = await startFaultStack();
});
afterAll(() => stack?.remove());

const RATE = { requestsPerSecond: 20, perRequest: 10 };

describe("the tables of keys and limits", () => {
  for (const [mode, words] of [
    ["hang", "take calls and never answer"],
    ["refuse", "close every connection"],
  ] as const) {
    faultCase(
      "F47",
      `the tables of keys ${words}`,
      () => stack,
      async (scenario) => {
        const arrivals = startArrivals(scenario, RATE);
        // Every function process that is in use has read the key by then.
        await delay(2_000);
        stack.tables.set(mode);
        await delay(RECORD_FRESH_MS + sized(2_000, 50_000));
        const unknown = await fetch(`${stack.addresses.url}/events`, {
          method: "POST",
          headers: { authorization: `Bearer ${makeKey(randomBytes).text}`, "content-type": "application/json" },
          body: "{}",
        });
        await scenario.heal();
        await arrivals.stop();

        const statuses = arrivals.answers.map((answer) => answer?.status);
        const of = (status: number) => statuses.filter((each) => each === status).length;
        // A process that starts meanwhile does not know the key, and says so by 503, after which the client tries again.
        expect(new Set(statuses.filter((status) => status !== 202))).toEqual(new Set(of(503) > 0 ? [503] : []));
        expect(of(202)).toBeGreaterThan(of(503));
        expect(unknown.status).toBe(503);
        const stale = stack.metrics.filter((line) => line.includes("KeysStale")).length;
        expect(stale).toBeGreaterThan(0);
        scenario.note(
          `${of(503)} of ${statuses.length} answers were 503; ${stale} requests passed with a known record`,
        );
      },
    );
  }
});
