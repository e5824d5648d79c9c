import { describe, expect, it } from "vitest";
import type { AlarmsAnswer, StatusAnswer } from "../../../functions/core/status-answers.ts";
import { alarms, status } from "../../../functions/api-docs/status-examples.ts";
import { isSound, toText as render } from "../../../scripts/status/render.ts";

const sound = status as StatusAnswer;
const watched = alarms as AlarmsAnswer;
const toText = (answer: StatusAnswer, open = watched) => render(answer, open);
const unavailable = { unavailable: "SQS did not answer." };

describe("the state for people", () => {
  it("the state has a section for each part, with the age of its numbers", () => {
    expect(toText(sound)).toBe(`prod, Sluice 0.1.0 (5f0c9a7be1d2), all tenants, 2026-11-28T09:31:02.120Z

EVENTS
accepted   1250
stored     1200
copies       20
conflicts     1
open          3
replayed      0
discarded     2
in flight    24
Every accepted event is in a count or in flight (counts of 50 s ago)

TENANTS
tenant  accepted  stored  copies  conflicts  open  replayed  discarded  in flight
acme    1000      970     20      1          3     0         2          4
other   250       230     0       0          0     0         0          20

QUEUES
queue         visible  in flight  delayed
events        12       3          0
dead letters  0        0          0
wake-ups      0        1          1
status        0        0          1

CONSUMER
last stored events 1 s ago, 1.42 s after they were accepted (1 s ago)

SUBSCRIPTIONS
4 active, 1 disabled, 17 deliveries pending (50 s ago)

DATABASE
active, last used 1 s ago

ALARMS
1 of 45 alarms open
Sluice-prod-DrainOpenAlarmA1B2C3D4-QJ0Q3X1Z9K2M, since 18 min
  Dead letters are open. See docs/runbook.md#dead-letters`);
  });

  it("where no alarm is open the state says so, and where there is no CloudWatch it says that", () => {
    const counts = { ok: 44, alarm: 0, insufficientData: 1 };

    expect(toText(sound, { at: sound.at, counts, alarms: [] })).toMatch(/ALARMS\nnone of 45 alarms open$/);
    expect(toText(sound, { at: sound.at, unavailable: "There is no CloudWatch." })).toMatch(
      /ALARMS\nnot known: There is no CloudWatch\.$/,
    );
  });

  it("a new installation says that nothing is counted yet", () => {
    const { takenAt: _, ...ledger } = sound.ledger as { takenAt: string };
    const { takenAt: _also, ...subscriptions } = sound.subscriptions as { takenAt: string };

    const text = toText({ ...sound, ledger, subscriptions } as typeof sound);

    expect(text).toContain(
      "\nNothing is counted yet: counts are taken at the end of a minute in which events are stored\n",
    );
    expect(text).toContain("pending (not counted yet)");
  });

  it("a part that could not be read says so among the others", () => {
    expect(toText({ ...sound, queues: unavailable })).toContain("QUEUES\nnot known: SQS did not answer.\n\nCONSUMER");
  });

  it.each([
    ["2026-11-28T09:31:02.000Z", "0 s ago"],
    ["2026-11-28T09:29:30.000Z", "92 s ago"],
    ["2026-11-28T08:29:30.000Z", "61 min ago"],
    ["2026-11-27T08:29:30.000Z", "25 h ago"],
    ["2026-11-01T08:29:30.000Z", "27 d ago"],
    [undefined, "never"],
  ])("a time of %s is shown as %s", (usedAt, age) => {
    expect(toText({ ...sound, database: { state: "idle", usedAt } })).toContain(`idle, last used ${age}`);
  });

  it("a state is sound where every part was read and the counts are what was accepted, for each tenant", () => {
    const account = (sound.ledger as { tenants: object[] }).tenants[0] as { difference: number };
    const wrong = { ...sound.ledger, tenants: [{ ...account, difference: account.difference + 1 }] };

    expect(isSound(sound)).toBe(true);
    expect(isSound({ ...sound, ledger: wrong as StatusAnswer["ledger"] })).toBe(false);
    for (const part of ["ledger", "queues", "consumer"]) expect(isSound({ ...sound, [part]: unavailable })).toBe(false);
  });

  it("a difference that is not in flight is named, with what to read about it", () => {
    const ledger = { ...sound.ledger, difference: 27 } as StatusAnswer["ledger"];

    expect(toText({ ...sound, ledger })).toContain("differ from what was accepted by 3 events: see docs/runbook.md");
  });
});
