import { call } from "../../api/client.ts";
import { usePages } from "../../parts/use-pages.ts";
import { link } from "../../route.ts";
import { tenant } from "../../session.ts";
import type { RedeliveryJob, Subscription } from "../../types.ts";
import { type JobRow, redeliveryRow } from "./job-row.ts";
import { JobTable } from "./job-table.tsx";

type Row = JobRow & { subscriptionId: string };

/** Each subscription has its own list: this many are asked at once, and so many jobs of each. */
const AT_ONCE = 5;
const JOBS_OF_ONE = "20";

/** Redeliveries of all subscriptions, latest first. */
export function RedeliveryJobs() {
  const pages = usePages<Row>(`redeliveries ${tenant.value}`, async (_after, signal) => {
    const { body } = await call<{ subscriptions: Subscription[] }>("GET", "subscriptions", { signal });
    const rows: Row[] = [];
    for (let at = 0; at < body.subscriptions.length; at += AT_ONCE) {
      const some = body.subscriptions.slice(at, at + AT_ONCE).map(({ id }) => retriesOf(id, signal));
      rows.push(...(await Promise.all(some)).flat());
    }
    return { rows: rows.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)), next: undefined };
  });
  return (
    <JobTable
      label="Redeliveries"
      pages={pages}
      hrefOf={(row) => link("jobs", {}, ["redeliveries", (row as Row).subscriptionId, row.id])}
      empty={{
        title: "No failed delivery was tried again",
        text: "A redelivery makes failed deliveries pending again. It begins on the screen of a subscription.",
      }}
    />
  );
}

async function retriesOf(subscriptionId: string, signal: AbortSignal): Promise<Row[]> {
  const path = `subscriptions/${encodeURIComponent(subscriptionId)}/retries`;
  const { body } = await call<{ retries: RedeliveryJob[] }>("GET", path, {
    query: { limit: JOBS_OF_ONE },
    signal,
    record: false,
  });
  return body.retries.map((job) => ({ ...redeliveryRow(job), subscriptionId }));
}
