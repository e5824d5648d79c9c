import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventLines } from "../../../functions/core/event-lines.ts";
import { project, toSelection } from "../../../functions/core/selection.ts";

const refuse = (fault: string): never => {
  throw new Error(fault);
};

const event =
  '{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-11-29T10:00:00Z","data":{"n":12345678901234567890,"a.b":1.0,"t":"=x","list":[{"x":1}]},"tenant":"acme","receivedat":"2026-11-29T10:00:01Z"}';

describe("the lines of events", () => {
  it("NDJSON has the text of each event as it is", () => {
    const { head, line } = createEventLines({ format: "ndjson" });

    expect(head + line(event) + line(event)).toBe(`${event}\n${event}\n`);
  });

  it("NDJSON with select has those members where they were, with their digits, and leaves out what is not there", () => {
    const { line } = createEventLines({
      format: "ndjson",
      select: ["data.n", "id", "/data/a.b", "data.list", "nothing"],
    });

    expect(line(event) + line('{"id":"2"}')).toBe(
      '{"id":"1","data":{"n":12345678901234567890,"a.b":1.0,"list":[{"x":1}]}}\n{"id":"2"}\n',
    );
  });

  it("NDJSON with select is what a list of events answers with it", () => {
    const name = fc.constantFrom("id", "data", "a", "b", "a.b", "n");
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(1, "text", null, true),
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(name, tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    const path = fc
      .array(name, { minLength: 1, maxLength: 3 })
      .map((steps) => (steps.includes("a.b") ? `/${steps.join("/")}` : steps.join(".")));
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.array(path, { minLength: 1, maxLength: 4 }), (object, select) => {
        const json = JSON.stringify(object);
        const { line } = createEventLines({ format: "ndjson", select });

        expect(line(json)).toBe(`${project(json, toSelection(select, refuse))}\n`);
      }),
      { numRuns: 2_000 },
    );
  });

  it("CSV has a column for each member, in the order of select", () => {
    const { head, line } = createEventLines({
      format: "csv",
      select: ["data.n", "id", "/data/a.b", "data.t", "nothing"],
    });

    expect(head + line(event)).toBe("data.n,id,/data/a.b,data.t,nothing\r\n12345678901234567890,1,1.0,'=x,\r\n");
  });

  it("CSV without select has the attributes and the data as JSON", () => {
    const { head, line } = createEventLines({ format: "csv" });

    expect(head).toBe("id,source,type,subject,time,receivedat,data\r\n");
    expect(line(event)).toBe(
      '1,/s,t,,2026-11-29T10:00:00Z,2026-11-29T10:00:01Z,"{""n"":12345678901234567890,""a.b"":1.0,""t"":""=x"",""list"":[{""x"":1}]}"\r\n',
    );
  });

  it("a member that is named by two paths, one within the other, is there once and whole", () => {
    const { line } = createEventLines({ format: "ndjson", select: ["data.list", "data"] });

    expect(line('{"id":"1","data":{"list":[1],"n":2}}')).toBe('{"data":{"list":[1],"n":2}}\n');
  });
});
