import { describe, expect, it, vi } from "vitest";
import { createQuery } from "../../../functions/query/query.ts";
import { storable } from "../../support/event-samples.ts";
import { adminOf } from "../../support/principal.ts";
import { memoryReader } from "./support.ts";

const request = { principal: adminOf("default"), id: "e-1", source: "/s", deadline: 1_000 };

describe("query", () => {
  it("returns the text of the event as the reader found it", async () => {
    const { reader } = memoryReader([storable({ id: "e-1", source: "/s" }), storable({ id: "e-2" })]);
    const find = vi.spyOn(reader, "find");

    const text = await createQuery({ reader })(request);

    expect(find).toHaveBeenCalledExactlyOnceWith(
      { tenant: "default", id: "e-1", source: "/s", allowed: { types: undefined, sources: undefined } },
      1_000,
    );
    expect(await find.mock.results[0]?.value).toMatchObject({ kind: "found", json: text });
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

  it("asks for the types and sources that the key may read", async () => {
    const { reader } = memoryReader([storable({ id: "e-1", source: "/s", type: "com.example.one" })]);
    const query = createQuery({ reader });
    const allowed = { types: ["com.example.*"], sources: ["/s"] };

    expect(await query({ ...request, principal: adminOf("default", allowed) })).toContain('"e-1"');
    for (const refused of [{ types: ["com.other"] }, { sources: ["/t"] }]) {
      await expect(query({ ...request, principal: adminOf("default", refused) })).rejects.toMatchObject({
        code: "not_found",
      });
    }
  });

  it("passes a failure of the reader on", async () => {
    const { reader, outage } = memoryReader([]);
    outage();

    await expect(createQuery({ reader })(request)).rejects.toMatchObject({ name: "DatabaseError", isOutage: true });
  });
});
