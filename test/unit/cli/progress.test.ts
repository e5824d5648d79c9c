import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startProgress } from "../../../cli/progress.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("progress", () => {
  it("says every ten seconds how far a command is, where no terminal shows a bar", () => {
    const written: string[] = [];
    vi.stubGlobal("process", { ...process, stderr: { isTTY: false, write: (text: string) => written.push(text) > 0 } });

    const counted = startProgress(undefined, "events");
    counted.advance(100);
    vi.advanceTimersByTime(10_000);
    counted.advance(50);
    vi.advanceTimersByTime(10_000);
    counted.stop();
    vi.advanceTimersByTime(60_000);
    const ofTotal = startProgress(10, "messages");
    ofTotal.setTotal(20);
    ofTotal.advance(5);
    vi.advanceTimersByTime(10_000);
    ofTotal.stop();

    expect(written).toEqual(["100 events\n", "150 events\n", "5 of 20 messages\n"]);
  });
});
