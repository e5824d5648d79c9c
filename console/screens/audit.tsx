import { useEffect, useState } from "preact/hooks";
import { call } from "../api/client.ts";
import { count, plural } from "../parts/format.ts";
import { PageFoot } from "../parts/page-foot.tsx";
import { Paged } from "../parts/paged.tsx";
import { Empty } from "../parts/states.tsx";
import { usePages } from "../parts/use-pages.ts";
import { tenant } from "../session.ts";
import type { AuditEntry, AuditPage } from "../types.ts";
import { AuditRows } from "./audit/audit-rows.tsx";
import { type ChainCheck, verifyPage } from "./audit/verify-page.ts";

const PAGE = 50;

/** The audit log: who changed what, the latest entry first, and whether the chain of those that are shown holds. */
export function Audit() {
  const [head, setHead] = useState<AuditPage["head"]>();
  const pages = usePages<AuditEntry>(`audit ${tenant.value}`, async (cursor, signal) => {
    // The log begins with its oldest entry, so its head says where the latest ones are.
    const end = cursor === undefined ? await readHead(signal) : Number(cursor);
    const after = Math.max(0, end - PAGE);
    const query = { after: String(after), limit: String(cursor === undefined ? PAGE + 5 : end - after) };
    const { body } = await call<AuditPage>("GET", "audit", { query, signal });
    setHead(body.head);
    return { rows: body.entries.toReversed(), next: after === 0 ? undefined : after };
  });
  return (
    <>
      <header class="head">
        <h1>Audit log</h1>
        <Chain entries={pages.rows} />
        <button type="button" onClick={pages.reload} disabled={pages.isLoading}>
          Refresh
        </button>
      </header>
      <Paged
        pages={pages}
        what="the audit log"
        lines={8}
        empty={
          <Empty title="Nothing was changed yet">
            <p>Each change of keys, tenants, subscriptions and jobs becomes an entry here.</p>
          </Empty>
        }
      >
        <AuditRows entries={pages.rows} />
        <PageFoot pages={pages} one="entry" many="entries" />
      </Paged>
      {head !== undefined && head.number > 0 && (
        <p class="quiet">
          The head is entry {count(head.number)}: <code class="hash">{head.hash}</code>. Keep it elsewhere; then{" "}
          <code>npm run audit -- verify --from-head</code> finds any later change of what is before it.
        </p>
      )}
    </>
  );
}

async function readHead(signal: AbortSignal): Promise<number> {
  const { body } = await call<AuditPage>("GET", "audit", { query: { limit: "1" }, signal, record: false });
  return Math.max(body.head.number, body.entries.at(-1)?.number ?? 0);
}

/** The check of the entries that are shown, made in the browser. */
function Chain({ entries }: { entries: readonly AuditEntry[] }) {
  const [check, setCheck] = useState<ChainCheck>();
  useEffect(() => {
    let isCurrent = true;
    setCheck(undefined);
    void verifyPage(entries.toReversed()).then((result) => isCurrent && setCheck(result));
    return () => {
      isCurrent = false;
    };
  }, [entries]);
  if (entries.length === 0 || check === undefined) return null;
  if (check.kind === "whole")
    return <span class="badge good">chain of {plural(entries.length, "entry", "entries")} holds</span>;
  return (
    <span class="badge bad" role="alert">
      chain broken at entry {check.number}: {check.why}
    </span>
  );
}
