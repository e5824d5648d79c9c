import { describe, expect, it } from "vitest";
import { readEvent } from "../../../console/parts/read-event.ts";
import { changedLines, eventText, toEditable } from "../../../console/screens/dead-letters/event-text.ts";
import { planBody, startBody, toChosen, toQuery } from "../../../console/screens/dead-letters/selection.ts";
import { newDiscard, newReplay } from "../../../functions/core/replay-bodies.ts";

const body = (event: string) => `{"version":1,"tenant":"acme","receivedAt":"2026-11-21T09:30:00Z","events":[${event}]}`;

const PLAN = { planned: 12, until: "2026-11-29T10:00:00.000001Z" };

describe("the event of a dead letter", () => {
  it("is text with every digit, apart from the key that stays", () => {
    const editable = toEditable(
      body('{"id":"o-1","source":"/shop","type":"t","data":{"n":12345678901234567890,"m":1.0}}'),
    );

    expect(editable).toMatchObject({ source: "/shop", id: "o-1" });
    expect(editable?.text).toBe('{\n  "type": "t",\n  "data": {\n    "n": 12345678901234567890,\n    "m": 1.0\n  }\n}');
  });

  it("has extension attributes beside the others, as a client sends them", () => {
    const editable = toEditable(body('{"id":"o-1","source":"/s","type":"t","extensions":{"region":"eu"}}'));

    expect(JSON.parse(editable?.text ?? "")).toEqual({ type: "t", region: "eu" });
  });

  it.each(["", "no JSON", "[]", '{"events":[]}', body("5"), body('{"id":5,"source":"/s"}')])(
    "is not found in the body %j",
    (text) => {
      expect(toEditable(text)).toBeUndefined();
    },
  );

  it("is shown as it is written in its message, and not at all where there is none", () => {
    expect(eventText(body('{"id":"o-1", "source":"/s","n":1.0}'))).toBe('{"id":"o-1", "source":"/s","n":1.0}');
    expect(eventText("no JSON")).toBeUndefined();
    expect(eventText(body("5"))).toBeUndefined();
  });

  it("goes back as it was edited, with its digits", () => {
    const read = readEvent('{"type":"t","data":{"n":12345678901234567890}}');

    expect("event" in read && JSON.stringify(read.event)).toBe('{"type":"t","data":{"n":12345678901234567890}}');
  });

  it.each([
    ["{", /not JSON/],
    ["[1]", /JSON object/],
    ["null", /JSON object/],
    ["5", /JSON object/],
  ])("is refused before it is sent where it is %j", (text, fault) => {
    expect(readEvent(text)).toEqual({ fault: expect.stringMatching(fault) });
  });

  it("counts the lines that are new", () => {
    expect(changedLines("a\nb\nb\nc", "a\nb\nx\nb\nb")).toBe(2);
    expect(changedLines("a\nb", "a\nb")).toBe(0);
    expect(changedLines("a\nb\nc", "a\nc")).toBe(1);
    expect(changedLines("a\nb\nc", "a\nx\nc")).toBe(1);
    expect(changedLines("a\nb\nc", "c")).toBe(2);
  });
});

describe("chosen dead letters", () => {
  const parameters = new URLSearchParams([
    ["type", "com.example.*"],
    ["source", "/a"],
    ["source", "/b"],
    ["reason", "not_storable"],
    ["message", 'no "?" of relation'],
    ["deadLetter", "not a condition"],
    ["openedFrom", "2026-11-21T00:00:00Z"],
  ]);

  it("a list asks for the conditions of the address", () => {
    expect([...toQuery(parameters)]).toEqual([
      ["type", "com.example.*"],
      ["source", "/a"],
      ["source", "/b"],
      ["reason", "not_storable"],
      ["message", 'no "?" of relation'],
      ["openedFrom", "2026-11-21T00:00:00Z"],
    ]);
  });

  it("a job takes those of the same conditions", () => {
    expect(toChosen(parameters)).toEqual({
      filter: {
        all: [
          { prefix: { type: "com.example." } },
          { any: [{ exact: { source: "/a" } }, { exact: { source: "/b" } }] },
        ],
      },
      reason: ["not_storable"],
      message: ['no "?" of relation'],
      openedFrom: "2026-11-21T00:00:00Z",
    });
  });

  it("no condition is no member, so that a discard without one is refused and not taken for all", () => {
    expect(toChosen(new URLSearchParams("deadLetter=1"))).toEqual({});
  });

  it("the API takes the bodies of a plan, a start and a discard", () => {
    const chosen = toChosen(parameters);

    expect(newReplay.safeParse(planBody(chosen, { rate: 100 })).error).toBeUndefined();
    expect(newReplay.safeParse(startBody(chosen, {}, PLAN)).error).toBeUndefined();
    expect(newDiscard.safeParse(startBody(chosen, { note: "The device was broken" }, PLAN)).error).toBeUndefined();
  });

  it("a start takes no more than the plan has counted, and says so in no other way than its limit", () => {
    expect(startBody({ reason: ["r"], openedTo: "2027-01-01T00:00:00Z" }, { rate: 5 }, PLAN)).toEqual({
      reason: ["r"],
      rate: 5,
      openedTo: PLAN.until,
      planned: 12,
    });
    expect(planBody({ reason: ["r"] }, { rate: 5 })).toEqual({ reason: ["r"], rate: 5, dryRun: true });
  });
});
