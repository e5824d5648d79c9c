import { describe, expect, it } from "vitest";
import type { Clock } from "../../../localstack/clock.ts";
import type { InvokeResult } from "../../../localstack/lambda/invoke.ts";
import { startSchedules } from "../../../localstack/schedule/schedule.ts";
import type { ScheduleModel } from "../../../localstack/template/model.ts";

const NOON = Date.UTC(2026, 10, 21, 12, 0, 0, 250);
const MINUTE = 60_000;
const DAY = 86_400_000;

function schedule(changes: Partial<ScheduleModel> = {}): ScheduleModel {
  return {
    name: "daily",
    arn: "arn:aws:events:us-east-1:000000000000:rule/daily",
    expression: "rate(1 minute)",
    functionArn: "arn:aws:lambda:us-east-1:000000000000:function:migrate",
    input: undefined,
    ...changes,
  };
}

/** A clock that a test moves; a jump fires each timer that became due once. */
function manualClock(): Clock & { advance: (milliseconds: number) => void; jump: (milliseconds: number) => void } {
  let now = NOON;
  let timers: { at: number; callback: () => void }[] = [];
  const fireDue = (): void => {
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { callback } of due) callback();
  };
  const advance = (milliseconds: number): void => {
    const end = now + milliseconds;
    for (;;) {
      const next = Math.min(...timers.map(({ at }) => at));
      if (next > end) break;
      now = next;
      fireDue();
    }
    now = end;
  };
  const after: Clock["after"] = (milliseconds, callback) => {
    if (milliseconds > 2 ** 31 - 1) throw new RangeError("a Node timer fires at once beyond 2^31 - 1 ms");
    const timer = { at: now + milliseconds, callback };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  const jump = (milliseconds: number): void => {
    now += milliseconds;
    fireDue();
  };
  return { now: () => now, after, advance, jump };
}

function start(models: ScheduleModel[], result: () => Promise<InvokeResult> = async () => SUCCESS) {
  const clock = manualClock();
  const calls: { arn: string; payload: string }[] = [];
  const lines: string[] = [];
  const schedules = startSchedules(
    models,
    (arn, payload) => {
      calls.push({ arn, payload });
      return result();
    },
    { clock, log: (line) => lines.push(line) },
  );
  return { clock, calls, lines, schedules };
}

const SUCCESS: InvokeResult = { kind: "success", payload: "null" };

describe("a rate", () => {
  it("a rate fires first one period after the start, and then once a period", () => {
    const { clock, calls } = start([schedule({ expression: "rate(2 minutes)" })]);

    const counts = [2 * MINUTE - 1, 1, 2 * MINUTE, 4 * MINUTE].map((milliseconds) => {
      clock.advance(milliseconds);
      return calls.length;
    });

    expect(counts).toEqual([0, 1, 2, 4]);
  });

  it.each([
    ["rate(1 minute)", MINUTE],
    ["rate(5 minutes)", 5 * MINUTE],
    ["rate(1 hour)", 60 * MINUTE],
    ["rate(12 hours)", 720 * MINUTE],
    ["rate(1 day)", DAY],
    ["rate(60 days)", 60 * DAY],
  ])("a rate %s has a period of %d ms, longer than a timer can wait too", (expression, period) => {
    const { clock, calls } = start([schedule({ expression })]);

    clock.advance(period - 1);
    const before = calls.length;
    clock.advance(1);

    expect([before, calls.length]).toEqual([0, 1]);
  });

  it("a rate skips the periods that a sleeping machine missed and keeps its rhythm", () => {
    const { clock, calls } = start([schedule()]);

    clock.jump(10.5 * MINUTE);
    const afterSleep = calls.length;
    clock.advance(0.5 * MINUTE);

    expect([afterSleep, calls.length]).toEqual([1, 2]);
  });

  it("a rate fires no more after a stop, which waits for running invocations", async () => {
    const gate = Promise.withResolvers<InvokeResult>();
    const { clock, calls, schedules } = start([schedule()], () => gate.promise);
    clock.advance(MINUTE);
    let stopped = false;
    const stopping = schedules.stop().then(() => (stopped = true));
    await Promise.resolve();
    const before = stopped;
    gate.resolve(SUCCESS);
    await stopping;
    clock.advance(10 * MINUTE);

    expect([before, stopped, calls.length]).toEqual([false, true, 1]);
  });
});

describe("the event", () => {
  it("the event is EventBridge's scheduled event", () => {
    const { clock, calls } = start([schedule()]);

    clock.advance(MINUTE);

    expect(calls[0]?.arn).toBe(schedule().functionArn);
    expect(JSON.parse(calls[0]?.payload ?? "")).toEqual({
      version: "0",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: "000000000000",
      time: "2026-11-21T12:01:00Z",
      region: "us-east-1",
      resources: [schedule().arn],
      detail: {},
    });
  });

  it("the event is the constant input where the rule has one", () => {
    const { clock, calls } = start([schedule({ input: '{"dryRun":true}' })]);

    clock.advance(MINUTE);

    expect(calls[0]?.payload).toBe('{"dryRun":true}');
  });
});

describe("a schedule whose function fails", () => {
  it.each<[InvokeResult, string]>([
    [{ kind: "error", errorType: "TypeError", errorMessage: "no", stack: [] }, "TypeError: no"],
    [{ kind: "timeout", seconds: 3 }, "timed out after 3 s"],
    [{ kind: "crash", detail: "exit 1" }, "exit 1"],
    [{ kind: "throttle" }, "no capacity"],
  ])("a schedule whose function fails says so and fires again: %j", async (result, reason) => {
    const { clock, calls, lines, schedules } = start([schedule()], async () => result);

    clock.advance(2 * MINUTE);
    await schedules.stop();

    expect(calls).toHaveLength(2);
    expect(lines).toEqual(Array(2).fill(`The schedule daily failed: ${reason}`));
  });

  it("a schedule whose function fails survives an invocation that rejects", async () => {
    const { clock, lines, schedules } = start([schedule()], () => Promise.reject(new Error("ended")));

    clock.advance(MINUTE);
    await schedules.stop();

    expect(lines).toEqual(["The schedule daily failed: Error: ended"]);
  });
});

describe("an expression the local stack cannot run", () => {
  it.each(["cron(0 12 * * ? *)", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(1 week)", "every day"])(
    "an expression the local stack cannot run stops the start and is named: %s",
    (expression) => {
      expect(() => start([schedule({ expression })])).toThrow(expression);
    },
  );
});
