import { createHash } from "node:crypto";
import { expect, it, vi } from "vitest";
import type { AccessReader } from "../../functions/core/access.ts";
import type { SessionReader } from "../../functions/core/session.ts";
import { createCheckKey } from "../../functions/core/check-key.ts";
import { makeKey } from "../../functions/core/key.ts";

const KEYS = 1_000_000;

it("a million keys with a wrong checksum are refused without a look-up, and without the secret", async () => {
  const reader = {
    key: vi.fn<AccessReader["key"]>(),
    tenant: vi.fn<AccessReader["tenant"]>(),
    session: vi.fn<SessionReader["session"]>(),
  };
  const secret = vi.fn<() => Promise<Uint8Array>>();
  const check = createCheckKey({
    reader,
    secret,
    usage: { used: async () => undefined },
    clock: () => new Date(),
    wait: async () => undefined,
    onStale: () => undefined,
  });
  // The same key each time: one of 4,000 million texts has the right checksum by chance.
  const { text } = makeKey((count) => Uint8Array.from({ length: count }, (_, at) => at));
  const codes: Record<string, number> = {};

  for (let number = 0; number < KEYS; number++) {
    // Another secret part under the checksum of the one that was given out.
    const other = createHash("sha256").update(String(number)).digest("hex").slice(0, 32);
    const key = `${text.slice(0, 19)}${other}${text.slice(51)}`;
    await check({ key, tenant: undefined }, "events:read").catch(({ code }: { code: string }) => {
      codes[code] = (codes[code] ?? 0) + 1;
    });
  }

  expect(codes).toEqual({ unauthenticated: KEYS });
  expect([reader.key, reader.tenant, reader.session, secret].map(({ mock }) => mock.calls.length)).toEqual([
    0, 0, 0, 0,
  ]);
});
