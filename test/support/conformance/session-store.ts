import { describe, expect, it } from "vitest";
import { AccessError } from "../../../functions/core/access.ts";
import type { SessionReader, SessionStore } from "../../../functions/core/session.ts";

const code = { keyId: "4fQ0v7xYbN2k", keyTenant: "acme", expiresAt: "2026-11-29T10:05:00.000Z" };
const session = { keyId: "4fQ0v7xYbN2k", expiresAt: "2026-11-29T18:00:00.000Z" };

/** The contract of every store of codes and sessions. */
export function describeSessionStore(
  name: string,
  open: () => Promise<{ store: SessionStore; reader: SessionReader; outage: () => void }>,
): void {
  describe(`contract: ${name}`, () => {
    it(`${name} gives a code to one of several callers alone, and to none after it`, async () => {
      const { store } = await open();
      await store.createCode("aa", code);

      const taken = await Promise.all(Array.from({ length: 5 }, () => store.takeCode("aa")));

      expect(taken.filter((each) => each !== undefined)).toEqual([code]);
      expect(await store.takeCode("aa")).toBeUndefined();
    });

    it(`${name} has no code that was never made, and takes no session for one`, async () => {
      const { store } = await open();
      await store.createSession("aa", session);

      expect(await store.takeCode("aa")).toBeUndefined();
      expect(await store.takeCode("bb")).toBeUndefined();
    });

    it(`${name} reads a session until it is ended, at once after each`, async () => {
      const { store, reader } = await open();
      expect(await reader.session("aa")).toBeUndefined();

      await store.createSession("aa", session);
      expect(await reader.session("aa")).toEqual(session);

      await store.endSession("aa");
      expect(await reader.session("aa")).toBeUndefined();
      await store.endSession("aa");
    });

    it(`${name} takes no code for a session`, async () => {
      const { store, reader } = await open();
      await store.createCode("aa", code);

      expect(await reader.session("aa")).toBeUndefined();
    });

    it(`${name} fails with an AccessError while the table does not answer`, async () => {
      const { store, reader, outage } = await open();
      outage();

      for (const call of [
        () => store.createCode("aa", code),
        () => store.takeCode("aa"),
        () => store.createSession("aa", session),
        () => store.endSession("aa"),
        () => reader.session("aa"),
      ])
        await expect(call()).rejects.toBeInstanceOf(AccessError);
    });
  });
}
