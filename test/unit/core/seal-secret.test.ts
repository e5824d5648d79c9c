import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeals, SealError } from "../../../functions/core/seal-secret.ts";

const SECRET = randomBytes(32);
const ID = `sub_${"1".repeat(32)}`;
const OTHER_ID = `sub_${"2".repeat(32)}`;

const seals = createSeals(() => Promise.resolve(SECRET), randomBytes);

describe("the seal of a secret", () => {
  it("opens for the same subscription and gives the same text, in any process of the installation", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        const another = createSeals(() => Promise.resolve(Buffer.from(SECRET)), randomBytes);

        expect(await another.open(ID, await seals.seal(ID, text))).toBe(text);
      }),
    );
  });

  it("does not open for another subscription, to which somebody moved it", async () => {
    const sealed = await seals.seal(ID, "whsec_secret");

    await expect(seals.open(OTHER_ID, sealed)).rejects.toThrow(SealError);
  });

  it("does not open in another installation", async () => {
    const sealed = await seals.seal(ID, "whsec_secret");
    const other = createSeals(() => Promise.resolve(randomBytes(32)), randomBytes);

    await expect(other.open(ID, sealed)).rejects.toThrow(SealError);
  });

  it("does not open where one byte of it is another one", async () => {
    const sealed = await seals.seal(ID, "whsec_secret");
    const bytes = Buffer.from(sealed.slice("s1:".length), "base64");
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;

      await expect(seals.open(ID, `s1:${changed.toString("base64")}`)).rejects.toThrow(SealError);
    }
  });

  it.each(["", "s1:", "s1:AAAA", "s2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "whsec_AAAA"])(
    "is not %j",
    async (text) => {
      await expect(seals.open(ID, text)).rejects.toThrow(SealError);
    },
  );

  it("shows nothing of the text, and is another one each time", async () => {
    const text = "whsec_".repeat(20);
    const made = await Promise.all(Array.from({ length: 50 }, () => seals.seal(ID, text)));

    expect(new Set(made).size).toBe(50);
    for (const sealed of made) {
      expect(sealed).not.toContain("whsec");
      expect(Buffer.from(sealed.slice("s1:".length), "base64").toString("latin1")).not.toContain("whsec");
    }
  });

  it("cannot be made or opened while the secret of the installation is not there", async () => {
    const failing = createSeals(() => Promise.reject(new Error("no answer")), randomBytes);

    await expect(failing.seal(ID, "text")).rejects.toThrow("no answer");
    await expect(failing.open(ID, await seals.seal(ID, "text"))).rejects.toThrow("no answer");
  });
});
