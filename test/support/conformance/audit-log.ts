import { describe, expect, it } from "vitest";
import type { AuditEntry, AuditHead, AuditLog } from "../../../functions/core/access.ts";
import { EMPTY_HEAD, NO_HEAD, verifyChain } from "../../../functions/core/audit.ts";
import { auditSample } from "../access-samples.ts";

type AuditLogUnderTest = {
  log: AuditLog;
  /** Ends the next append between the entry and the head. */
  crashBeforeHead: () => void;
  /** Removes entries, as somebody does who can write the table; 0 is the head. */
  remove: (tenant: string, numbers: readonly number[]) => Promise<unknown>;
  /** Writes a head in the place of the present one. */
  setHead: (tenant: string, head: AuditHead) => Promise<unknown>;
  outage: () => void;
};

/** The contract of every audit log; `open` gives one that is empty and healthy. */
export function describeAuditLog(name: string, open: () => Promise<AuditLogUnderTest>): void {
  const whole = async (log: AuditLog, tenant = "acme"): Promise<{ entries: AuditEntry[]; head: AuditHead }> =>
    log.read(tenant, 0, 1_000);

  const appendEach = async (log: AuditLog, count: number): Promise<void> => {
    for (let at = 1; at <= count; at++) await log.append(auditSample({ requestId: `r-${at}` }));
  };
  const next = auditSample({ requestId: "next" });

  describe(`an audit log ${name}`, () => {
    it("is empty at first, without a head", async () => {
      const { log } = await open();

      const { entries, head } = await whole(log);

      expect({ entries, head }).toEqual({ entries: [], head: NO_HEAD });
      expect(verifyChain(entries, head)).toBeUndefined();
    });

    it("numbers the entries of each tenant from 1 and chains them, and reads them as they were appended", async () => {
      const { log } = await open();
      const appended = [
        await log.append(auditSample()),
        await log.append(auditSample({ tenant: "other" })),
        await log.append(auditSample({ action: "key.revoke", details: {} })),
      ];

      const { entries, head } = await whole(log);

      expect(appended.map(({ number }) => number)).toEqual([1, 1, 2]);
      expect(entries).toEqual([appended[0], appended[2]]);
      expect(head).toEqual({ number: 2, hash: appended[2]?.hash });
      expect(verifyChain(entries, head)).toBeUndefined();
    });

    it("reads the entries after a number, at most so many", async () => {
      const { log } = await open();
      for (let at = 0; at < 5; at++) await log.append(auditSample());

      const { entries, head } = await log.read("acme", 2, 2);

      expect(entries.map(({ number }) => number)).toEqual([3, 4]);
      expect(head.number).toBe(5);
    });

    it("gives each of many concurrent entries a number of its own, in one chain", async () => {
      const { log } = await open();
      const requestIds = Array.from({ length: 8 }, (_, at) => `r-${at}`);

      await Promise.all(requestIds.map((requestId) => log.append(auditSample({ requestId }))));

      const { entries, head } = await whole(log);
      expect(entries.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(entries.map(({ requestId }) => requestId).toSorted()).toEqual(requestIds);
      expect(verifyChain(entries, head)).toBeUndefined();
      expect(head.number).toBe(8);
    });

    it("goes on after a process that ended between an entry and the head, whose chain is good too", async () => {
      const { log, crashBeforeHead } = await open();
      await log.append(auditSample());
      crashBeforeHead();
      await expect(log.append(auditSample({ requestId: "r-2" }))).rejects.toMatchObject({ name: "AccessError" });

      const crashed = await whole(log);
      expect([crashed.entries.length, crashed.head.number]).toEqual([2, 1]);
      expect(verifyChain(crashed.entries, crashed.head)).toBeUndefined();

      await log.append(auditSample({ requestId: "r-3" }));
      const { entries, head } = await whole(log);
      expect(entries.map(({ requestId }) => requestId)).toEqual(["r-1", "r-2", "r-3"]);
      expect(head.number).toBe(3);
      expect(verifyChain(entries, head)).toBeUndefined();
    });

    it("goes on after a process that ended between its first entry and the head", async () => {
      const { log, crashBeforeHead } = await open();
      crashBeforeHead();
      await expect(log.append(auditSample())).rejects.toMatchObject({ name: "AccessError" });
      const crashed = await whole(log);

      await log.append(auditSample({ requestId: "r-2" }));

      const { entries, head } = await whole(log);
      expect([crashed.entries.length, crashed.head]).toEqual([1, EMPTY_HEAD]);
      expect(entries.map(({ requestId }) => requestId)).toEqual(["r-1", "r-2"]);
      expect([verifyChain(crashed.entries, crashed.head), verifyChain(entries, head)]).toEqual([undefined, undefined]);
    });

    it.each([
      { entries: 5, removed: [4, 5, 0] },
      { entries: 5, removed: [2, 3, 4, 5, 0] },
      { entries: 5, removed: [1, 0] },
      { entries: 5, removed: [0] },
      { entries: 2, removed: [0] },
      { entries: 1, removed: [0] },
    ])(
      "takes no entry more where %j and 0 is the head, so that nothing hides it",
      async ({ entries: count, removed }) => {
        const { log, remove } = await open();
        await appendEach(log, count);
        await log.append(auditSample({ tenant: "other" }));
        await remove("acme", removed);
        const before = await whole(log);

        for (const _attempt of ["first", "second"])
          await expect(log.append(next)).rejects.toMatchObject({ name: "AccessError" });

        expect(await whole(log)).toEqual(before);
        expect(verifyChain(before.entries, before.head)).toBeDefined();
        expect(await log.append(auditSample({ tenant: "other" }))).toMatchObject({ number: 2 });
      },
    );

    it.each<[string, AuditHead]>([
      ["moved back", { number: 2, hash: "of entry 2" }],
      ["moved back to the beginning", { number: 0, hash: "0".repeat(64) }],
      ["without a hash", { number: 4, hash: "" }],
      ["with a hash that is none", { number: 4, hash: "x" }],
      ["with half a number", { number: 2.5, hash: "f".repeat(64) }],
      ["below the beginning", { number: -1, hash: "f".repeat(64) }],
      ["at the beginning of another chain", { number: 0, hash: "f".repeat(64) }],
    ])("takes no entry more where its head was %s, and verification names the head", async (_name, head) => {
      const { log, setHead } = await open();
      await appendEach(log, 4);
      const { hash = "" } = (await whole(log)).entries[1] ?? {};
      await setHead("acme", { ...head, hash: head.hash === "of entry 2" ? hash : head.hash });

      await expect(log.append(next)).rejects.toMatchObject({ name: "AccessError" });

      const after = await whole(log);
      expect(after.entries).toHaveLength(4);
      expect(verifyChain(after.entries, after.head)).toMatchObject({ kind: "wrong_head" });
    });

    it("goes on as soon as somebody has put a head back that names the last entry", async () => {
      const { log, remove, setHead } = await open();
      await appendEach(log, 5);
      await remove("acme", [4, 5, 0]);
      const { number, hash } = (await whole(log)).entries.at(-1) ?? NO_HEAD;

      await setHead("acme", { number, hash });

      expect(await log.append(next)).toMatchObject({ number: 4, previous: hash });
      const { entries, head } = await whole(log);
      expect(verifyChain(entries, head)).toBeUndefined();
    });

    it("fails with an AccessError in an outage", async () => {
      const { log, outage } = await open();
      outage();

      await expect(log.append(next)).rejects.toMatchObject({ name: "AccessError" });
      await expect(whole(log)).rejects.toMatchObject({ name: "AccessError" });
    });
  });
}
