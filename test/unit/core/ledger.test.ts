import { describe, expect, it } from "vitest";
import { accountOf, type LedgerCounts, type TenantLedger } from "../../../functions/core/ledger.ts";
import { type NumberRanges, readRanges } from "../../../functions/core/number-ranges.ts";

const counts: LedgerCounts = { stored: 50, copies: 4, conflicts: 1, open: 3, replayed: 1, discarded: 1 };
const ledger: TenantLedger = { ...counts, tenant: "acme", arrived: 60 };

const numbers = (ranges: Record<string, string>): ReadonlyMap<string, NumberRanges> =>
  new Map(Object.entries(ranges).map(([producer, text]) => [producer, readRanges(text)]));

describe("the account of a tenant", () => {
  it("the account has a difference of 0 where every number that was sent has arrived", () => {
    expect(accountOf(ledger, numbers({ a: "1-40", b: "1-20" }), numbers({ a: "1-40", b: "1-20" }))).toEqual({
      ...counts,
      accepted: 60,
      inFlight: 0,
      difference: 0,
    });
  });

  it("the account has what was sent and did not arrive in flight, and nothing else in its difference", () => {
    expect(accountOf(ledger, numbers({ a: "1-45,50", c: "1-2" }), numbers({ a: "1-40", b: "1-20" }))).toMatchObject({
      accepted: 68,
      inFlight: 8,
      difference: 8,
    });
  });

  it("the account counts an event once whose message arrived though SQS never confirmed it", () => {
    expect(accountOf(ledger, numbers({ a: "1-30,36-41" }), numbers({ a: "1-40", b: "1-20" }))).toMatchObject({
      accepted: 61,
      inFlight: 1,
      difference: 1,
    });
  });

  it("the account shows a fault of the counts as a difference beside what is in flight", () => {
    expect(accountOf({ ...ledger, stored: 49 }, numbers({ a: "1-41" }), numbers({ a: "1-40" }))).toMatchObject({
      inFlight: 1,
      difference: 2,
    });
  });
});
