import { describe, expect, it } from "vitest";
import { balanceOf } from "../../../console/screens/overview/balance.ts";
import { partsOfHealth } from "../../../console/screens/overview/health-parts.ts";
import { perSecond } from "../../../console/screens/overview/history.ts";

describe("the balance of a ledger", () => {
  it("is good at rest", () => {
    expect(balanceOf({ difference: 0, inFlight: 0 }).tone).toBe("good");
  });

  it("is neutral while events are on the way", () => {
    expect(balanceOf({ difference: 12, inFlight: 12 })).toEqual({
      tone: "",
      says: expect.stringContaining("12 events"),
    });
  });

  it.each([
    { difference: 3, inFlight: 0, says: "3 events are in no count" },
    { difference: 12, inFlight: 11, says: "1 event is in no count" },
    { difference: -2, inFlight: 0, says: "2 events count twice" },
    { difference: -1, inFlight: 0, says: "1 event counts twice" },
  ])("is bad where the difference is not the events in flight: $says", ({ says, ...ledger }) => {
    expect(balanceOf(ledger)).toEqual({ tone: "bad", says: expect.stringContaining(says) });
  });
});

describe("the rates of a history", () => {
  const point = { accepted: 120, stored: 60, refused: 6, open: 2 };

  it("are the counts of an interval by its seconds", () => {
    const rates = perSecond({
      tenant: "default",
      span: "1h",
      stepSeconds: 60,
      points: [{ at: "2026-11-30T03:00:00Z", ...point, lagMs: 900 }],
    });

    expect(rates).toEqual({
      times: [1_796_007_600],
      accepted: [2],
      stored: [1],
      refused: [0.1],
      open: [2],
      lag: [900],
    });
  });

  it("are those of the part that was counted, in an interval that is not over", () => {
    const history = {
      tenant: "default",
      span: "24h",
      stepSeconds: 600,
      points: [{ at: "2026-11-30T03:00:00Z", ...point }],
    };

    expect(perSecond({ ...history, takenAt: "2026-11-30T03:01:00Z" }).accepted).toEqual([2]);
    expect(perSecond({ ...history, takenAt: "2026-11-30T03:00:05Z" }).accepted).toEqual([null]);
    expect(perSecond({ ...history, takenAt: "2026-11-30T02:00:00Z" }).accepted).toEqual([0.2]);
  });

  it("are those of the whole interval before the last one, although counts were last taken in it", () => {
    const points = [
      { at: "2026-11-30T03:00:00Z", ...point },
      { at: "2026-11-30T03:10:00Z", ...point, accepted: 0 },
    ];
    const history = { tenant: "default", span: "24h", stepSeconds: 600, takenAt: "2026-11-30T03:00:05Z", points };

    expect(perSecond(history).accepted).toEqual([0.2, 0]);
  });
});

describe("the parts of an installation", () => {
  const now = Date.parse("2026-11-30T03:00:00Z");
  const depth = { visible: 0, inFlight: 0, delayed: 0 };
  const status = {
    at: "2026-11-30T03:00:00Z",
    stage: "dev",
    version: "1",
    build: "2",
    tenant: "default",
    ledger: { unavailable: "not asked" },
    queues: { at: "2026-11-30T03:00:00Z", events: depth, deadLetters: depth, wakeUps: depth, status: depth },
    consumer: { lagMs: 900, lastStoredAt: "2026-11-30T02:59:50Z" },
    subscriptions: { active: 1, disabled: 0, pending: 3 },
    database: { state: "active" as const, usedAt: "2026-11-30T02:59:50Z" },
  };
  const toneOf = (changes: Partial<typeof status> | object, name: string) =>
    partsOfHealth({ ...status, ...changes }, now).find((part) => part.name === name)?.tone;

  it("are good where nothing waits", () => {
    expect(new Set(partsOfHealth(status, now).map(({ tone }) => tone))).toEqual(new Set(["good"]));
  });

  it("warn of a lag for which lists are refused", () => {
    expect(toneOf({ consumer: { ...status.consumer, lagMs: 30_001 } }, "Consumer")).toBe("warn");
    expect(toneOf({ consumer: { ...status.consumer, lagMs: 30_000 } }, "Consumer")).toBe("good");
  });

  it("warn of messages in the dead-letter queue and of disabled subscriptions", () => {
    expect(toneOf({ queues: { ...status.queues, deadLetters: { ...depth, visible: 1 } } }, "Dead-letter queue")).toBe(
      "warn",
    );
    expect(toneOf({ subscriptions: { ...status.subscriptions, disabled: 1 } }, "Subscriptions")).toBe("warn");
  });

  it("say why one of them could not be read, and show the others", () => {
    const parts = partsOfHealth({ ...status, queues: { unavailable: "SQS does not answer" } }, now);

    expect(parts[0]).toMatchObject({ tone: "bad", detail: "SQS does not answer" });
    expect(parts.slice(1).every(({ tone }) => tone === "good")).toBe(true);
  });
});
