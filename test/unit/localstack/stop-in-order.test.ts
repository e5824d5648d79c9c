import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stopInOrder } from "../../../localstack/stop-in-order.ts";

describe("a stop of the runtime", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("a stop of the runtime ends the parts one after the other, the last one first, and logs what fails", async () => {
    const ended: string[] = [];
    const lines: string[] = [];

    await stopInOrder(
      [
        async () => ended.push("database"),
        () => Promise.reject(new Error("no queue")),
        async () => {
          await Promise.resolve();
          ended.push("api");
        },
      ],
      (line) => lines.push(line),
    );

    expect(ended).toEqual(["api", "database"]);
    expect(lines).toEqual(["stop: no queue"]);
  });

  it("a stop of the runtime makes all parts give up at once, and abandons two that hang within 5 s", async () => {
    const ended: string[] = [];
    const aborts: boolean[] = [];
    const hang = (): Promise<void> => new Promise(() => undefined);
    const stopped = stopInOrder(
      [
        async ({ aborted }) => {
          aborts.push(aborted);
          ended.push("database");
        },
        hang,
        hang,
      ],
      () => undefined,
    );

    await vi.advanceTimersByTimeAsync(4_999);

    expect(ended).toEqual(["database"]);
    expect(aborts).toEqual([true]);
    await stopped;
  });
});
