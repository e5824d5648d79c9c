import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stopInOrder } from "../../../localstack/stop-order.ts";

describe("a stop of the runtime", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("ends the parts one after the other, the last one first, and logs what fails", async () => {
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

  it("tells all parts at the same time to give up, and leaves two that hang behind within five seconds", async () => {
    const ended: string[] = [];
    const told: boolean[] = [];
    const hang = (): Promise<void> => new Promise(() => undefined);
    const stopped = stopInOrder(
      [
        async ({ aborted }) => {
          told.push(aborted);
          ended.push("database");
        },
        hang,
        hang,
      ],
      () => undefined,
    );

    await vi.advanceTimersByTimeAsync(4_999);

    expect(ended).toEqual(["database"]);
    expect(told).toEqual([true]);
    await stopped;
  });
});
