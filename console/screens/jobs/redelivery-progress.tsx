import { call } from "../../api/client.ts";
import { plural } from "../../parts/format.ts";
import { JobReceipt } from "../../parts/job-receipt.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useJob } from "../../parts/use-job.ts";
import { link } from "../../route.ts";
import type { RedeliveryJob } from "../../types.ts";
import { redeliveryRow } from "./job-row.ts";
import { Asked } from "./asked.tsx";

type Props = { subscriptionId: string; id: string; isScreen?: boolean };

/** The progress of a redelivery, with its cancel and its receipt. */
export function RedeliveryProgress({ subscriptionId, id, isScreen = false }: Props) {
  const path = `subscriptions/${encodeURIComponent(subscriptionId)}/retries/${encodeURIComponent(id)}`;
  const { job, problem, end, reload } = useJob(
    path,
    async (record, signal) => (await call<RedeliveryJob>("GET", path, { record, signal })).body,
    redeliveryRow,
  );
  const cancel = useAction(async () => {
    await call("POST", `${path}/cancel`);
    reload();
  });
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (job === undefined) return <Loading what="Loading the job" />;
  const row = redeliveryRow(job);
  return (
    <JobReceipt
      label={`Redelivery of ${plural(job.planned, "failed delivery", "failed deliveries")}`}
      row={row}
      end={end}
      onCancel={row.isFinished ? undefined : cancel.run}
      onReload={reload}
    >
      {cancel.problem !== undefined && <Failed problem={cancel.problem} />}
      {isScreen && <Asked request={job.request} keyId={job.keyId} createdAt={job.createdAt} />}
      <p>
        {isScreen ? (
          <a href={link("subscriptions", {}, [subscriptionId])}>The subscription</a>
        ) : (
          <>
            {!row.isFinished && "It goes on without this page: "}
            <a href={link("jobs", {}, ["redeliveries", subscriptionId, id])}>see it among the jobs</a>
          </>
        )}
      </p>
    </JobReceipt>
  );
}
