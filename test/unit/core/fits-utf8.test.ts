import * as fc from "fast-check";
import { expect, it } from "vitest";
import { fitsUtf8 } from "../../../functions/core/fits-utf8.ts";

it("counts bytes of UTF-8, whatever the characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), fc.integer({ min: -3, max: 3 }), (text, spare) => {
      expect(fitsUtf8(text, Buffer.byteLength(text) + spare)).toBe(spare >= 0);
    }),
  );
});
