import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { makeKey } from "../../functions/core/key.ts";
import { RECORD_FRESH_MS } from "../../functions/core/record-cache.ts";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/http.ts";
import { startArrivals } from "./support/arrivals.ts";
import { faultCase, sized } from "./support/fault-case.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";
import { storedIds } from "./support/stored-ids.ts";

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

describe("the mark of stored events", () => {
  faultCase(
    "F47",
    "the mark of stored events cannot be changed",
    () => stack,
    async (scenario) => {
      const count = sized(20, 1_000);
      await scenario.hold();
      // A follower that has read everything asks the database again when the mark changes, and not before.
      const first = await page("");
      const { next } = await page(`after=${first.next}`);
      await scenario.deliver(scenario.events(count), { perRequest: 10 });
      const from = stack.lines.length;
      stack.tables.set("refuse");
      stack.sqs.setFaults();
      await eventually(
        () => storedIds(scenario),
        ({ length }) => length === count + 1,
      );
      await scenario.atRest();
      expect(stack.lines.slice(from).join("\n")).toContain("store not marked");
      await scenario.heal();

      const seen: string[] = [];
      let cursor = next;
      await eventually(
        async () => {
          const found = await page(`after=${cursor}&wait=5&limit=1000`);
          cursor = found.next;
          seen.push(...found.events.map(({ id }) => id));
          return seen.length;
        },
        (length) => length >= count,
        200_000,
      );
      expect(new Set(seen).size).toBe(count);
    },
  );

  const page = async (query: string) => {
    const { status, text } = await get(`${stack.addresses.url}/feed?${query}`);
    expect(status, text).toBe(200);
    return JSON.parse(text) as { events: { id: string }[]; next: string };
  };
});
