import crypto from "node:crypto";
import { expect, it } from "vitest";
import { hashKey, hasHash } from "../../../functions/core/key.ts";
import { spyOnBuiltIn } from "../../support/spy-on-built-in.ts";

it("compares the hash of a key in constant time", () => {
  const timingSafeEqual = spyOnBuiltIn(crypto, "timingSafeEqual");
  const secret = Buffer.from("the secret of one installation");
  const hash = hashKey(secret, "a key");

  expect(hasHash({ hash }, secret, "a key")).toBe(true);
  expect(hasHash({ hash }, secret, "another key")).toBe(false);

  const kept = Buffer.from(hash, "hex");
  expect(timingSafeEqual.mock.calls).toEqual([
    [kept, kept],
    [kept, Buffer.from(hashKey(secret, "another key"), "hex")],
  ]);
});
