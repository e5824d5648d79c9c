import { call } from "../../api/client.ts";
import { JobReceipt } from "../../parts/job-receipt.tsx";
import { plural } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useJob } from "../../parts/use-job.ts";
import { link } from "../../route.ts";
import { can } from "../../session.ts";
import type { ReplayJob } from "../../types.ts";
import { replayRow } from "./job-row.ts";

/** The progress of a replay or discard, with its cancel and its receipt. */
export function ReplayProgress({ id, isScreen = false }: { id: string; isScreen?: boolean }) {
  const path = `replays/${encodeURIComponent(id)}`;
  const { job, problem, end, reload } = useJob(
    id,
    async (record, signal) => (await call<ReplayJob>("GET", path, { record, signal })).body,
    replayRow,
  );
  const cancel = useAction(async () => {
    await call("POST", `${path}/cancel`);
    reload();
  });
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (job === undefined) return <Loading what="Loading the job" />;
  const row = replayRow(job);
  const mayCancel = !row.isFinished && can("dead-letters:replay");
  const label = `${job.action === "replay" ? "Replay" : "Discard"} of ${plural(job.planned, "dead letter")}`;
  return (
    <div class="stack">
      <JobReceipt label={label} row={row} end={end} onCancel={mayCancel ? cancel.run : undefined} onReload={reload}>
        {cancel.problem !== undefined && <Failed problem={cancel.problem} />}
        {!isScreen && (
          <p>
            It goes on without this page: <a href={link("jobs", {}, ["replays", id])}>watch it among the jobs</a>
          </p>
        )}
      </JobReceipt>
    </div>
  );
}
