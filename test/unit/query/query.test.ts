import { describe, expect, it, vi } from "vitest";
import { createQuery } from "../../../functions/query/query.ts";
import { newDeadLetter } from "../../support/dead-letter-samples.ts";
import { memoryDeadLetterTable } from "../../support/memory-dead-letters.ts";
import { storable } from "../../support/event-samples.ts";
import { adminOf } from "../../support/principal.ts";
import { memoryReader } from "./support.ts";

const { reader: deadLetters } = memoryDeadLetterTable();
const request = { principal: adminOf("default"), id: "e-1", source: "/s", deadline: 1_000 };

describe("query", () => {
  it("returns the text of the event as the reader found it", async () => {
    const { reader } = memoryReader([storable({ id: "e-1", source: "/s" }), storable({ id: "e-2" })]);
    const find = vi.spyOn(reader, "find");

    const text = await createQuery({ reader, deadLetters })(request);

    expect(find).toHaveBeenCalledExactlyOnceWith(
      { tenant: "default", id: "e-1", source: "/s", allowed: { types: undefined, sources: undefined } },
      1_000,
    );
    expect(await find.mock.results[0]?.value).toMatchObject({ kind: "found", json: text });
  });

  it("refuses an absent event as not_found and says when an accepted one can be read", async () => {
    const { reader } = memoryReader([]);

    await expect(createQuery({ reader, deadLetters })(request)).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("as soon as the consumer has stored it"),
    });
  });

  it("says of an absent event that it is a dead letter, with the reason, and the message to who may read dead letters", async () => {
    const { reader } = memoryReader([]);
    const table = memoryDeadLetterTable();
    await table.store.record([newDeadLetter({ event: { id: "e-1", source: "/s" } })], 0);
    const [row] = table.rows();
    const ask = (principal: Partial<typeof request.principal>) =>
      createQuery({ reader, deadLetters: table.reader })({
        ...request,
        principal: { ...request.principal, ...principal },
      });

    await expect(ask({})).rejects.toMatchObject({
      code: "dead_lettered",
      message: expect.stringContaining("until an operator replays or discards it"),
      members: { reason: "not_storable", message: "ERROR: no", deadLetter: row?.id },
    });
    await expect(ask({ role: "reader" })).rejects.toMatchObject({
      code: "dead_lettered",
      members: { reason: "not_storable" },
    });
    expect(Object.keys(await ask({ role: "reader" }).catch((error) => error.members))).toEqual(["reason"]);
    for (const hidden of [{ types: ["other"] }, { sources: ["/t"] }, { tenant: "b" }])
      await expect(ask(hidden)).rejects.toMatchObject({ code: "not_found" });

    table.take(row?.id ?? "");
    await expect(ask({})).rejects.toMatchObject({ message: expect.stringContaining("a replay has sent it again") });
    table.discard(row?.id ?? "");
    await expect(ask({})).rejects.toMatchObject({ code: "not_found" });
  });

  it("refuses an id of several sources as ambiguous_id and names the sources", async () => {
    const { reader } = memoryReader(["/a", "/b"].map((source) => storable({ id: "e-1", source })));

    await expect(createQuery({ reader, deadLetters })({ ...request, source: undefined })).rejects.toMatchObject({
      code: "ambiguous_id",
      message: expect.stringContaining("?source="),
      members: { sources: ["/a", "/b"] },
    });
  });

  it("asks for the types and sources that the key may read", async () => {
    const { reader } = memoryReader([storable({ id: "e-1", source: "/s", type: "com.example.one" })]);
    const query = createQuery({ reader, deadLetters });
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

    await expect(createQuery({ reader, deadLetters })(request)).rejects.toMatchObject({
      name: "DatabaseError",
      isOutage: true,
    });
  });
});
