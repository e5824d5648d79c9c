import { describe, expect, it } from "vitest";
import { FOLLOW_MS, followStored } from "../../../console/screens/send/stages.ts";

/** A clock that pauses move. */
function clock() {
  let now = 0;
  return {
    isWatched: () => true,
    now: () => now,
    pause: (milliseconds: number) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
}

describe("following an event until it is stored", () => {
  it("ends with the event as soon as it is there", async () => {
    const time = clock();
    const read = () =>
      Promise.resolve(time.now() < 800 ? undefined : { kind: "stored" as const, event: { id: "order-1" } });

    expect(await followStored({ read, ...time })).toEqual({ kind: "stored", event: { id: "order-1" } });
    expect(time.now()).toBeLessThan(1_300);
  });

  it("asks for a minute at most, and less often than once a second on average", async () => {
    const time = clock();
    let asked = 0;
    const fate = await followStored({
      read: () => {
        asked += 1;
        return Promise.resolve(undefined);
      },
      ...time,
    });

    expect(fate).toEqual({ kind: "given_up" });
    expect(time.now()).toBeLessThanOrEqual(FOLLOW_MS);
    expect(asked).toBeLessThan(FOLLOW_MS / 1_000);
  });

  it("asks no more once nobody watches", async () => {
    const time = clock();
    let asked = 0;
    const read = () => {
      asked += 1;
      return Promise.resolve(undefined);
    };

    expect(await followStored({ read, ...time, isWatched: () => asked < 2 })).toEqual({ kind: "given_up" });
    expect(asked).toBe(2);
  });

  it("says the reason of an event that is a dead letter", async () => {
    const read = () => Promise.resolve({ kind: "dead_lettered" as const, reason: "not_storable" });

    expect(await followStored({ read, ...clock() })).toEqual({ kind: "dead_lettered", reason: "not_storable" });
  });
});
