import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { usePages } from "../../parts/use-pages.ts";
import { link } from "../../route.ts";
import { tenant } from "../../session.ts";
import type { ExportJob } from "../../types.ts";
import { exportRow } from "./job-row.ts";
import { JobTable } from "./job-table.tsx";
import { NewExport } from "./new-export.tsx";

/** Exports of stored events into files. */
export function ExportJobs() {
  const [isNew, setNew] = useState(false);
  const pages = usePages(`exports ${tenant.value}`, async (after, signal) => {
    const { body } = await call<{ exports: ExportJob[]; next?: string }>("GET", "exports", {
      query: { after },
      signal,
    });
    return { rows: body.exports.map(exportRow), next: body.next };
  });
  return (
    <>
      <div class="buttons">
        <button type="button" onClick={() => setNew(true)}>
          New export…
        </button>
      </div>
      <JobTable
        label="Exports"
        pages={pages}
        hrefOf={({ id }) => link("jobs", {}, ["exports", id])}
        empty={{
          title: "There is no export",
          text: "An export writes stored events into files, which are kept for 7 days.",
        }}
      />
      {isNew && <NewExport onClose={() => setNew(false)} />}
    </>
  );
}
