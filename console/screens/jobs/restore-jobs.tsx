import { call } from "../../api/client.ts";
import { usePages } from "../../parts/use-pages.ts";
import { link } from "../../route.ts";
import { tenant } from "../../session.ts";
import type { RestoreJob } from "../../types.ts";
import { restoreRow } from "./job-row.ts";
import { JobTable } from "./job-table.tsx";

/** Restores of archived events. */
export function RestoreJobs() {
  const pages = usePages(`restores ${tenant.value}`, async (after, signal) => {
    const { body } = await call<{ restores: RestoreJob[]; next?: string }>("GET", "restores", {
      query: { after },
      signal,
    });
    return { rows: body.restores.map(restoreRow), next: body.next };
  });
  return (
    <JobTable
      label="Restores"
      pages={pages}
      hrefOf={({ id }) => link("jobs", {}, ["restores", id])}
      empty={{
        title: "No archived event was brought back",
        text: "A restore reads events from the archive. It begins with npm run restore.",
      }}
    />
  );
}
