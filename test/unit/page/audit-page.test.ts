import { describe, expect, it } from "vitest";
import { verifyPage } from "../../../console/screens/audit/verify-page.ts";
import type { AuditEntry } from "../../../functions/core/access.ts";
import { chainEntry, EMPTY_HEAD } from "../../../functions/core/audit.ts";

const chain: AuditEntry[] = [];
for (let second = 0; second < 4; second++) {
  const entry = {
    tenant: "acme",
    at: `2026-11-21T09:30:0${second}Z`,
    who: "key-1",
    action: "key.create",
    target: "key-2",
    details: { name: "ünïcode \u2028", ids: [3, 1, 2], b: null, a: { z: 1, y: 2 } },
    requestId: "r",
  };
  chain.push(chainEntry(chain.at(-1) ?? EMPTY_HEAD, entry));
}

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
    const [, second] = chain;
    if (second === undefined) throw new Error("the chain has no second entry");
    const forged = chainEntry({ number: 1, hash: "0".repeat(64) }, { ...second, who: "nobody" });

    expect(await verifyPage(changed(1, forged))).toMatchObject({ kind: "broken", number: 2 });
  });
});
