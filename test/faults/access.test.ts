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
        // A process that starts meanwhile does not know the key. It never says that the key is wrong, but that the client
        // is to try again; on a busy machine there are several, and requests that wait for them too long.
        expect(statuses.filter((status) => status !== undefined && status !== 202 && status < 500)).toEqual([]);
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
