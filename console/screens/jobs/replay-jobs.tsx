import { call } from "../../api/client.ts";
import { usePages } from "../../parts/use-pages.ts";
import { link } from "../../route.ts";
import { tenant } from "../../session.ts";
import type { ReplayJob } from "../../types.ts";
import { replayRow } from "./job-row.ts";
import { JobTable } from "./job-table.tsx";

/** Replays and discards of dead letters. */
export function ReplayJobs() {
  const pages = usePages(`replays ${tenant.value}`, async (after, signal) => {
    const { body } = await call<{ replays: ReplayJob[]; next?: string }>("GET", "replays", {
      query: { after },
      signal,
    });
    return { rows: body.replays.map(replayRow), next: body.next };
  });
  return (
    <JobTable
      label="Replays and discards"
      pages={pages}
      hasKind
      hrefOf={({ id }) => link("jobs", {}, ["replays", id])}
      empty={{
        title: "No dead letter was replayed or discarded",
        text: "A replay sends dead letters to the queue again. It begins on the screen of dead letters.",
      }}
    />
  );
}
