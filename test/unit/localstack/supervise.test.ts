import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { supervise } from "../../../localstack/supervise.ts";

describe("a supervised process", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function start(restart: () => Promise<void>) {
    const lines: string[] = [];
    const reasons: string[] = [];
    const supervisor = supervise({
      name: "The queue",
      restart,
      giveUp: ({ message }) => reasons.push(message),
      log: (line) => lines.push(line),
    });
    return { supervisor, lines, reasons };
  }

  it("a supervised process is started again after ever longer pauses, and no more after the third failure", async () => {
    const restart = vi.fn<() => Promise<void>>(() => Promise.reject(new Error("disk full")));
    const { supervisor, reasons } = start(restart);

    supervisor.ended();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(restart).toHaveBeenCalledTimes(2);
    expect(reasons).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);

    expect(restart).toHaveBeenCalledTimes(3);
    expect(reasons).toEqual([
      "The queue did not start again (disk full), after 3 restarts in a minute. The runtime stops.",
    ]);
  });

  it("a supervised process may end once a minute without limit", async () => {
    const restart = vi.fn<() => Promise<void>>(() => Promise.resolve());
    const { supervisor, reasons, lines } = start(restart);

    for (let minute = 0; minute < 10; minute += 1) {
      supervisor.ended();
      await vi.advanceTimersByTimeAsync(61_000);
    }

    expect(restart).toHaveBeenCalledTimes(10);
    expect(reasons).toEqual([]);
    expect(lines.slice(0, 2)).toEqual([
      "The queue ended unexpectedly; starting it again (1 of 3)",
      "The queue runs again",
    ]);
  });

  it("a supervised process stays as it is once the supervisor has stopped", async () => {
    const restart = vi.fn<() => Promise<void>>(() => Promise.resolve());
    const { supervisor } = start(restart);

    supervisor.ended();
    await supervisor.stop();
    supervisor.ended();
    await vi.advanceTimersByTimeAsync(10_000);

    expect(restart).not.toHaveBeenCalled();
  });
});
