import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCursors, type CursorBinding } from "../../../functions/core/cursor.ts";
import { CURSOR_MAX_CHARACTERS, CURSOR_POSITION_MAX_BYTES } from "../../../functions/core/cursor-limits.ts";

const cursorsUnder = (secret: string) => {
  const bytes = Buffer.from(secret, "utf8");
  return createCursors(async () => bytes);
};
const cursors = cursorsUnder("the secret of this installation");
const binding: CursorBinding = { tenant: "acme", request: { filter: { type: "com.example.*" }, order: "receivedAt" } };
const BAD = { code: "bad_cursor", message: expect.stringContaining("begin without one") };
const MISMATCH = { code: "cursor_mismatch", message: expect.stringContaining("the request that it came from") };

describe("a cursor", () => {
  it("a cursor gives back the position that it was written with", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 2 }), async (json) => {
        fc.pre(Buffer.byteLength(json) <= CURSOR_POSITION_MAX_BYTES && !json.includes("-0"));
        const position = JSON.parse(json) as unknown;

        const text = await cursors.write("feed", binding, position);

        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(text.length).toBeLessThanOrEqual(CURSOR_MAX_CHARACTERS);
        expect(await cursors.read("feed", binding, text)).toEqual(position);
      }),
    );
  });

  it.each([
    [-1, true],
    [0, true],
    [1, false],
  ])("a cursor with %i byte more than a position may have is written: %s", async (more, isWritten) => {
    const position = "x".repeat(CURSOR_POSITION_MAX_BYTES - '""'.length + more);

    const written = cursors.write("feed", binding, position);

    if (isWritten) expect((await written).length).toBeLessThanOrEqual(CURSOR_MAX_CHARACTERS);
    else await expect(written).rejects.toThrow(RangeError);
  });

  it("a cursor of which any one character was changed, left out or added is refused", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const text = await cursors.write("feed", binding, ["4711", "abc"]);
    const changed = text.split("").flatMap((character, place) => [
      ...`${alphabet}= +/é`
        .split("")
        .filter((other) => other !== character)
        .map((other) => text.slice(0, place) + other + text.slice(place + 1)),
      text.slice(0, place) + text.slice(place + 1),
      `${text.slice(0, place)}A${text.slice(place)}`,
    ]);

    const outcomes = await Promise.allSettled(changed.map((each) => cursors.read("feed", binding, each)));

    expect(changed.length).toBeGreaterThan(3_000);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toEqual([]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "bad_cursor" } });
  });

  it.each(["", "x", "start", "AAAA", "A".repeat(CURSOR_MAX_CHARACTERS), "A".repeat(1_000_000), "\u0000", "💧"])(
    "a text that is no cursor is refused as bad_cursor (case %#)",
    async (text) => {
      await expect(cursors.read("feed", binding, text)).rejects.toMatchObject(BAD);
    },
  );

  it("a cursor of another installation is refused as bad_cursor", async () => {
    const text = await cursorsUnder("the secret of another installation").write("feed", binding, 1);

    await expect(cursors.read("feed", binding, text)).rejects.toMatchObject(BAD);
  });

  it.each<[string, "feed" | "list", CursorBinding]>([
    ["tenant", "feed", { ...binding, tenant: "other" }],
    ["kind", "list", binding],
    ["filter", "feed", { ...binding, request: { filter: { type: "com.other.*" }, order: "receivedAt" } }],
    ["order", "feed", { ...binding, request: { filter: { type: "com.example.*" }, order: "-receivedAt" } }],
  ])("a cursor that was written for another %s is refused as cursor_mismatch", async (_what, kind, other) => {
    const text = await cursors.write("feed", binding, 1);

    await expect(cursors.read(kind, other, text)).rejects.toMatchObject(MISMATCH);
  });

  it("a tenant and a request that only together make the same text are two bindings", async () => {
    const text = await cursors.write("feed", { tenant: "a", request: "b,c" }, 1);

    await expect(cursors.read("feed", { tenant: "a,b", request: "c" }, text)).rejects.toMatchObject(MISMATCH);
  });

  it("cursors are written under another key than the one under which keys are hashed", async () => {
    const first = await cursorsUnder("a").write("feed", binding, 1);
    const second = await cursorsUnder("b").write("feed", binding, 1);

    expect(first).not.toBe(second);
    expect(first).toBe(await cursorsUnder("a").write("feed", binding, 1));
  });

  it("a secret that cannot be read ends the writing and the reading", async () => {
    const failing = createCursors(async () => {
      throw new Error("no secret");
    });

    await expect(failing.write("feed", binding, 1)).rejects.toThrow("no secret");
    await expect(failing.read("feed", binding, "AAAA")).rejects.toThrow("no secret");
  });
});
