import { DatabaseError } from "../../core/errors.ts";
import type { Arrivals, LedgerReader, LedgerSnapshot } from "../../core/ledger.ts";
import { addRange, NO_NUMBERS, readRanges } from "../../core/number-ranges.ts";
import type { SqlDatabase, SqlValue } from "../../core/ports.ts";
import { textArray, toTextArray } from "./text-array.ts";

/** A page ends behind the tenant with which it is so large: a result of the Data API has 1 MiB, and a tenant has far less. */
const PAGE_BYTES = 500_000;

/**
 * The ledger in PostgreSQL; the statement is documented in functions/sql/0010_ledger.sql. Some thousand tenants are one page, and
 * so of one moment; of more each tenant is.
 */
export function createLedgerReader(
  database: Pick<SqlDatabase, "execute">,
  { pageBytes = PAGE_BYTES }: { pageBytes?: number } = {},
): LedgerReader {
  return {
    async take({ since, producers }, deadline) {
      const snapshot = { takenAt: "", tenants: [], subscriptions: [] };
      const arrivals = new Map<string, Arrivals>();
      let after: string | undefined;
      do {
        const parameters = { since, asked: toTextArray(producers), after: after ?? null, bytes: String(pageBytes) };
        const { rows } = await database.execute(TAKE, parameters, deadline);
        after = addPage(rows, snapshot, arrivals);
      } while (after !== undefined);
      return { ...snapshot, arrivals: [...arrivals.values()] };
    },
  };
}

const TAKE = `
  select part, tenant, producer, content from take_ledger(:since, ${textArray(":asked")}, :after, cast(:bytes as integer))`;

/** Adds the rows of a page. Returns the tenant behind which the next one begins. @throws DatabaseError for rows of another form */
function addPage(
  rows: SqlValue[][],
  snapshot: Omit<LedgerSnapshot, "arrivals">,
  arrivals: Map<string, Arrivals>,
): string | undefined {
  if (rows[0]?.[0] !== "taken") throw unexpectedResult();
  let next: string | undefined;
  for (const row of rows) {
    const [part, tenant = "", producer = "", content = ""] = row.map((value) =>
      value === null ? undefined : String(value),
    );
    switch (part) {
      case "taken":
        // The first page is the oldest.
        snapshot.takenAt ||= content;
        break;
      case "total":
      case "tenant": {
        const [stored, copies, conflicts, open, replayed, discarded, arrived] = toCounts(content, 7);
        snapshot.tenants.push({ tenant, stored, copies, conflicts, open, replayed, discarded, arrived });
        break;
      }
      case "arrived": {
        const key = `${producer} ${tenant}`;
        const known = arrivals.get(key)?.numbers ?? NO_NUMBERS;
        const numbers = readRanges(content).reduce((sum, [first, last]) => addRange(sum, first, last), known);
        arrivals.set(key, { producer, tenant, numbers });
        break;
      }
      case "subscriptions": {
        const [active, disabled, pending] = toCounts(content, 3);
        snapshot.subscriptions.push({ tenant, active, disabled, pending });
        break;
      }
      case "more":
        next = tenant;
        break;
      default:
        throw unexpectedResult();
    }
  }
  return next;
}

type Counts<Size extends number> = Size extends 3
  ? [number, number, number]
  : [number, number, number, number, number, number, number];

function toCounts<Size extends 3 | 7>(content: string, size: Size): Counts<Size> {
  const counts = JSON.parse(content) as unknown[];
  if (counts.length !== size || !counts.every(Number.isSafeInteger)) throw unexpectedResult();
  return counts as Counts<Size>;
}

function unexpectedResult(): DatabaseError {
  return new DatabaseError({
    disposition: "stop",
    reason: "unexpected_result",
    detail: "take_ledger returned rows of another form.",
  });
}
