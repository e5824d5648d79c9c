import { describe, expect, it, vi } from "vitest";
import { createQuery } from "../../../functions/query/query.ts";
import { storable } from "../../support/event-samples.ts";
import { memoryReader } from "./support.ts";

const request = { tenant: "default", id: "e-1", source: "/s", deadline: 1_000 };

describe("query", () => {
  it("returns the text of the event as the reader found it", async () => {
    const { reader } = memoryReader([storable({ id: "e-1", source: "/s" }), storable({ id: "e-2" })]);
    const find = vi.spyOn(reader, "find");

    const text = await createQuery({ reader })(request);

    expect(find).toHaveBeenCalledExactlyOnceWith({ tenant: "default", id: "e-1", source: "/s" }, 1_000);
    expect(await find.mock.results[0]?.value).toEqual({ kind: "found", json: text });
  });

  it("refuses an absent event as not_found and says when an accepted one can be read", async () => {
    const { reader } = memoryReader([]);

    await expect(createQuery({ reader })(request)).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("as soon as the consumer has stored it"),
    });
  });

  it("refuses an id of several sources as ambiguous_id and names the sources", async () => {
    const { reader } = memoryReader(["/a", "/b"].map((source) => storable({ id: "e-1", source })));

    await expect(createQuery({ reader })({ ...request, source: undefined })).rejects.toMatchObject({
      code: "ambiguous_id",
      message: expect.stringContaining("?source="),
      members: { sources: ["/a", "/b"] },
    });
  });

  it("passes a failure of the reader on", async () => {
    const { reader, outage } = memoryReader([]);
    outage();

    await expect(createQuery({ reader })(request)).rejects.toMatchObject({ name: "DatabaseError", isOutage: true });
  });
});
