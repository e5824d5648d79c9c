import { describe, expect, it } from "vitest";
import type { AlarmState } from "../../../functions/core/alarms.ts";
import { alarmsAnswer } from "../../../functions/core/status-answers.ts";
import { createReadAlarms } from "../../../functions/status/alarms.ts";
import { NOW } from "./support.ts";

const alarm = (changes: Partial<AlarmState> = {}): AlarmState => ({
  name: "Sluice-prod-DrainAlarm",
  description: "Dead letters are open. See docs/runbook.md#dead-letters.",
  state: "ok",
  reason: "Threshold Crossed",
  since: NOW - 60_000,
  ...changes,
});

/** A CloudWatch with these alarms, or with none that answers. */
function watching(answers: (AlarmState[] | Error)[]) {
  const time = { now: NOW };
  let calls = 0;
  const read = createReadAlarms({
    alarms: {
      read: async () => {
        const answer = answers[Math.min(calls++, answers.length - 1)];
        if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer");
        return answer;
      },
    },
    clock: () => new Date(time.now),
  });
  return { time, calls: () => calls, read: async () => alarmsAnswer.parse(await read(time.now + 5_000)) };
}

describe("the alarms of the installation", () => {
  it("those that are open are listed, the latest first, and the others are counted", async () => {
    const { read } = watching([
      [
        alarm(),
        alarm({ name: "a", state: "alarm" }),
        alarm({ name: "b", state: "alarm", since: NOW, description: "By hand." }),
        alarm({ name: "c", state: "alarm", since: NOW - 90_000, description: undefined }),
        alarm({ state: "insufficientData" }),
      ],
    ]);

    expect(await read()).toEqual({
      at: new Date(NOW).toISOString(),
      counts: { ok: 1, alarm: 3, insufficientData: 1 },
      alarms: [
        {
          name: "b",
          state: "ALARM",
          since: new Date(NOW).toISOString(),
          description: "By hand.",
          reason: "Threshold Crossed",
        },
        {
          name: "a",
          state: "ALARM",
          since: new Date(NOW - 60_000).toISOString(),
          description: "Dead letters are open.",
          reason: "Threshold Crossed",
          runbook: "docs/runbook.md#dead-letters",
        },
        { name: "c", state: "ALARM", since: new Date(NOW - 90_000).toISOString(), reason: "Threshold Crossed" },
      ],
    });
  });

  it("callers within half a minute get one answer, with its time", async () => {
    const { read, time, calls } = watching([[alarm()], [alarm({ state: "alarm" })]]);

    const [first] = await Promise.all([read(), read()]);
    time.now += 29_999;
    expect(await read()).toEqual(first);
    expect(calls()).toBe(1);

    time.now += 1;
    expect(await read()).toMatchObject({ at: new Date(time.now).toISOString(), counts: { alarm: 1 } });
    expect(calls()).toBe(2);
  });

  it("a CloudWatch that does not answer is asked by the next caller again", async () => {
    const { read } = watching([new Error("no answer"), [alarm()]]);

    expect(await read()).toEqual({ at: new Date(NOW).toISOString(), unavailable: "CloudWatch did not answer." });
    expect(await read()).toMatchObject({ counts: { ok: 1 } });
  });

  it("where there is no CloudWatch the answer says so", async () => {
    const read = createReadAlarms({ alarms: undefined, clock: () => new Date(NOW) });

    expect(await read(NOW)).toEqual({
      at: new Date(NOW).toISOString(),
      unavailable: expect.stringContaining("There is no CloudWatch"),
    });
  });
});
