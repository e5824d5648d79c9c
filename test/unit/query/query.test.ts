import { describe, expect, it } from "vitest";
import type { EventReader, FoundEvent } from "../../../functions/core/ports.ts";
import { createQuery } from "../../../functions/query/query.ts";

/** A reader that finds the given, and remembers its calls. */
function readerOf(found: FoundEvent) {
  const calls: Parameters<EventReader["find"]>[] = [];
  const reader: EventReader = {
    async find(...call) {
      calls.push(call);
      return found;
    },
  };
  return { reader, calls };
}

const request = { tenant: "t", id: "e-1", source: "/s", deadline: 1_000 };

describe("query", () => {
  it("returns the text of the event as the reader found it", async () => {
    const { reader, calls } = readerOf({ kind: "found", json: '{"n":1.0}' });

    expect(await createQuery({ reader })(request)).toBe('{"n":1.0}');
    expect(calls).toEqual([[{ tenant: "t", id: "e-1", source: "/s" }, 1_000]]);
  });

  it("refuses an absent event as not_found and says when an accepted one can be read", async () => {
    const { reader } = readerOf({ kind: "absent" });

    await expect(createQuery({ reader })(request)).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("as soon as the consumer has stored it"),
    });
  });

  it("refuses an id of several sources as ambiguous_id and names the sources", async () => {
    const { reader } = readerOf({ kind: "ambiguous", sources: ["/a", "/b"] });

    await expect(createQuery({ reader })({ ...request, source: undefined })).rejects.toMatchObject({
      code: "ambiguous_id",
      message: expect.stringContaining("?source="),
      members: { sources: ["/a", "/b"] },
    });
  });

  it("passes a failure of the reader on", async () => {
    const reader: EventReader = { find: () => Promise.reject(new Error("down")) };

    await expect(createQuery({ reader })(request)).rejects.toThrow("down");
  });
});
