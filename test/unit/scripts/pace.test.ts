import { describe, expect, it } from "vitest";
import { createPace } from "../../../scripts/replay/pace.ts";

describe("a pace", () => {
  it("allows a burst at once, and then waits until the average is within the rate", async () => {
    let now = 1_000;
    const waits: number[] = [];
    const delay = (milliseconds: number) => {
      waits.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    };
    const pace = createPace(20, { now: () => now, delay });
    const { signal } = new AbortController();

    for (const events of [10, 10, 1]) {
      await pace.wait(signal);
      pace.spend(events);
    }
    now += 5_000;
    await pace.wait(signal);

    expect(waits).toEqual([500, 500]);
  });

  it("waits no longer when its signal is aborted, and never without a rate", async () => {
    const delays: number[] = [];
    const clock = { now: () => 0, delay: (milliseconds: number) => Promise.resolve(void delays.push(milliseconds)) };
    const [slow, free] = [createPace(1, clock), createPace(undefined, clock)];
    for (const pace of [slow, free]) pace.spend(1_000_000);

    await slow.wait(AbortSignal.abort());
    await free.wait(new AbortController().signal);

    expect(delays).toEqual([]);
  });
});
