import { timingSafeEqual } from "node:crypto";
import { expect, it, vi } from "vitest";
import { hashKey, hasHash } from "../../../functions/core/key.ts";

vi.mock("node:crypto", { spy: true });

it("compares the hash of a key in constant time", () => {
  const secret = Buffer.from("the secret of one installation");
  const hash = hashKey(secret, "a key");

  expect(hasHash({ hash }, secret, "a key")).toBe(true);
  expect(hasHash({ hash }, secret, "another key")).toBe(false);

  const kept = Buffer.from(hash, "hex");
  expect(vi.mocked(timingSafeEqual).mock.calls).toEqual([
    [kept, kept],
    [kept, Buffer.from(hashKey(secret, "another key"), "hex")],
  ]);
});
