import { useEffect } from "preact/hooks";
import { call } from "../../api/client.ts";
import { JobReceipt } from "../../parts/job-receipt.tsx";
import { plural } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useJob } from "../../parts/use-job.ts";
import { link } from "../../route.ts";
import { can } from "../../session.ts";
import type { ReplayJob } from "../../types.ts";
import { Asked } from "./asked.tsx";
import { replayRow } from "./job-row.ts";

type Props = { id: string; isScreen?: boolean /** Called when its numbers change no more. */; onSettled?: () => void };

/** The progress of a replay or discard, with its cancel and its receipt. */
export function ReplayProgress({ id, isScreen = false, onSettled }: Props) {
  const path = `replays/${encodeURIComponent(id)}`;
  const { job, problem, end, reload } = useJob(
    id,
    async (record, signal) => (await call<ReplayJob>("GET", path, { record, signal })).body,
    replayRow,
  );
  useEffect(() => {
    if (end === "settled") onSettled?.();
  }, [end]);
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
        {isScreen ? (
          <Asked request={job.request} keyId={job.keyId} createdAt={job.createdAt} />
        ) : (
          <p>
            {!row.isFinished && "It goes on without this page: "}
            <a href={link("jobs", {}, ["replays", id])}>see it among the jobs</a>
          </p>
        )}
      </JobReceipt>
    </div>
  );
}
