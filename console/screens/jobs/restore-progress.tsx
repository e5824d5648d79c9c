import { call } from "../../api/client.ts";
import { JobReceipt } from "../../parts/job-receipt.tsx";
import { time } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useJob } from "../../parts/use-job.ts";
import type { RestoreJob } from "../../types.ts";
import { Asked } from "./asked.tsx";
import { restoreRow } from "./job-row.ts";

/** The progress of a restore, with its cancel and its receipt. */
export function RestoreProgress({ id }: { id: string }) {
  const path = `restores/${encodeURIComponent(id)}`;
  const { job, problem, end, reload } = useJob(
    id,
    async (record, signal) => (await call<RestoreJob>("GET", path, { record, signal })).body,
    restoreRow,
  );
  const cancel = useAction(async () => {
    await call("POST", `${path}/cancel`);
    reload();
  });
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (job === undefined) return <Loading what="Loading the restore" />;
  const row = restoreRow(job);
  const { into, readableUntil, request, manifests = [] } = job;
  return (
    <JobReceipt
      label={into === "live" ? "Restore among the live events" : "Restore beside the live events"}
      row={row}
      end={end}
      onCancel={row.isFinished ? undefined : cancel.run}
      onReload={reload}
    >
      {cancel.problem !== undefined && <Failed problem={cancel.problem} />}
      {readableUntil !== undefined && (
        <p>
          Its events can be read until {time(readableUntil)}: <code>GET /restores/{id}/events</code>
        </p>
      )}
      <Asked request={{ ...request, manifests }} keyId={job.keyId} createdAt={job.createdAt} />
    </JobReceipt>
  );
}
