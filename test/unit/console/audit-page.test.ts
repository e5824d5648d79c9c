import { describe, expect, it } from "vitest";
import { verifyPage } from "../../../console/screens/audit/verify-page.ts";
import type { AuditEntry } from "../../../functions/core/access.ts";
import { chainEntry, EMPTY_HEAD } from "../../../functions/core/audit.ts";

const chain = Array.from({ length: 4 }).reduce<AuditEntry[]>((entries, _, index) => {
  const last = entries.at(-1) ?? EMPTY_HEAD;
  const details = { name: "ünïcode \u2028", ids: [3, 1, 2], b: null, a: { z: 1, y: 2 } };
  const entry = {
    tenant: "acme",
    at: `2026-11-21T09:30:0${index}Z`,
    who: "key-1",
    action: "key.create",
    target: "key-2",
    details,
    requestId: "r",
  };
  return [...entries, chainEntry(last, entry)];
}, []);

const changed = (index: number, changes: Partial<AuditEntry>) =>
  chain.map((entry, at) => (at === index ? { ...entry, ...changes } : entry));

describe("the chain on a page of the audit log", () => {
  it("is whole where each entry has its hash and follows the one before", async () => {
    expect(await verifyPage(chain)).toEqual({ kind: "whole" });
    expect(await verifyPage(chain.slice(2))).toEqual({ kind: "whole" });
    expect(await verifyPage([])).toEqual({ kind: "whole" });
  });

  it("is broken at an entry that was edited", async () => {
    expect(await verifyPage(changed(2, { who: "nobody" }))).toMatchObject({ kind: "broken", number: 3 });
  });

  it("is broken at an entry that is missing", async () => {
    expect(await verifyPage(chain.toSpliced(1, 1))).toMatchObject({ kind: "broken", number: 2, why: /missing/ });
  });

  it("is broken where an entry was written again with a hash of its own", async () => {
    const { hash: _, number, previous: __, ...entry } = chain[1]!;
    const forged = chainEntry({ number: number - 1, hash: "0".repeat(64) }, { ...entry, who: "nobody" });

    expect(await verifyPage(changed(1, forged))).toMatchObject({ kind: "broken", number: 2 });
  });
});
