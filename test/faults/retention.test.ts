import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { schemas } from "../../functions/core/answer.ts";
import { CHUNK_MAX_EVENTS } from "../../functions/core/database-limits.ts";
import { call } from "../support/http.ts";
import { eventually } from "../support/eventually.ts";
import { daysAgo } from "../support/retention.ts";
import { type FaultStack, startFaultStack } from "./support/fault-stack.ts";
import { retainedDays } from "./support/retained-days.ts";

type Restore = ReturnType<typeof schemas.Restore.parse>;

const PATIENCE_MS = 280_000;
/** Their retention is over, each day with events of its own. */
const FIRST_AGE = 9;

let stack: FaultStack;
let days: Awaited<ReturnType<typeof retainedDays>>;
beforeAll(async () => {
  // A message whose step is killed comes again in seconds.
  stack = await startFaultStack({ archives: true, visibilitySeconds: 6, maxReceiveCount: 30 });
  days = await retainedDays(() => stack);
});
afterAll(() => stack?.remove());

/** Kills the function `retain` where it comes to a place for the nth time; returns how often it was killed. */
function killAt(point: string, nth: number): () => number {
  let kills = 0;
  stack.failpoints.order((hit) => {
    if (hit.functionName !== "retain" || hit.point !== point || hit.count !== nth) return "go";
    kills += 1;
    return "kill";
  });
  return () => kills;
}

describe("a day whose step is killed", () => {
  const places: [string, number][] = [
    // A part, and a manifest.
    ["afterUpload", 1],
    ["afterUpload", 2],
    // The table of events, and that of their fields.
    ["beforeDetach", 1],
    ["afterDetach", 1],
    ["beforeDetach", 2],
    ["afterDetach", 2],
    ["beforeNoteDetached", 1],
    ["afterNoteDetached", 1],
    ["beforeDeleteKeys", 1],
    ["afterDeleteKeys", 1],
    ["beforeDrop", 1],
    ["afterDrop", 1],
    ["beforeAnswer", 1],
  ];
  const cases = places.map(([point, nth], at) => ({ point, nth, age: FIRST_AGE + at }));

  it.each(cases)(
    "a day whose step is killed at $point, time $nth, is dropped with its keys, and each of its events is in the archive once",
    async ({ nth, point, age }) => {
      const events = await days.fill(age, 60);
      const kills = killAt(point, nth);

      await days.run();
      const whenDropped = async () => {
        const { keys } = await days.dropped(age);
        // The last place is behind the drop.
        await eventually(kills, (count) => count > 0, PATIENCE_MS);
        return keys;
      };
      const keys = await whenDropped().finally(() => stack.failpoints.order());

      expect(kills()).toBe(1);
      expect(keys).toBe(0);
      expect(await days.stored(age)).toEqual([]);
      expect(await days.archived(age)).toEqual(events);
    },
  );
});

describe("a restore whose step is killed", () => {
  const AGE = FIRST_AGE + 30;
  /** More than one chunk. */
  const COUNT = CHUNK_MAX_EVENTS + 300;
  let events: string[];
  beforeAll(async () => {
    events = await days.fill(AGE, COUNT);
    await days.run();
    await days.dropped(AGE);
    // The lease of a step that is killed ends with its function.
    stack.deploy("retain", { timeoutSeconds: 20 });
  });

  const restore = async (into: "live" | "beside"): Promise<Restore> => {
    const response = await call(`${stack.addresses.url}/restores`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ from: daysAgo(AGE), to: daysAgo(AGE), into }),
    });
    expect(response.status).toBe(202);
    return (await response.json()) as Restore;
  };
  const finish = ({ id }: Restore) =>
    eventually(
      async () => (await (await call(`${stack.addresses.url}/restores/${id}`)).json()) as Restore,
      ({ state }) => state !== "running",
      PATIENCE_MS,
    );
  /** The events beside the live ones, as those were read. */
  const readBeside = async ({ id }: Restore): Promise<string[]> => {
    const texts: string[] = [];
    let after: string | undefined;
    do {
      const query = after === undefined ? "?limit=1000" : `?limit=1000&after=${after}`;
      const page = await (await call(`${stack.addresses.url}/restores/${id}/events${query}`)).text();
      // Number by number as it was stored, which a parser would lose.
      texts.push(...(page.match(/\{"specversion".*?,"storedat":"[^"]+"\}/g) ?? []));
      after = (JSON.parse(page) as { next?: string }).next;
    } while (after !== undefined);
    return texts.map((text) => text.replace(/,"storedat":"[^"]+"\}$/, "}")).toSorted();
  };

  it.each([
    { point: "beforeStore", nth: 2, into: "live" },
    { point: "afterStore", nth: 1, into: "beside" },
    { point: "afterStore", nth: 2, into: "live" },
    { point: "beforeAnswer", nth: 1, into: "beside" },
  ] as const)(
    "a restore $into whose step is killed at $point, time $nth, has each event once, equal to what it was",
    async ({ point, nth, into }) => {
      await stack.ask("delete from event_keys where source = '/faults/retention'");
      await stack.ask("delete from events where source = '/faults/retention'");
      const kills = killAt(point, nth);

      const receipt = await finish(await restore(into));
      await eventually(kills, (count) => count > 0, PATIENCE_MS).finally(() => stack.failpoints.order());

      expect(kills()).toBe(1);
      expect(receipt).toMatchObject({
        state: "done",
        read: COUNT,
        restored: COUNT,
        present: 0,
        conflicts: 0,
        refused: 0,
      });
      expect(into === "live" ? await days.stored(AGE) : await readBeside(receipt)).toEqual(events);
    },
  );
});
