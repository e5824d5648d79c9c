import type { StatusAnswer } from "../../functions/core/status-answers.ts";
import { call } from "../api/client.ts";
import { usePoll } from "../frame/awake.ts";
import { ago, time } from "../parts/format.ts";
import { Failed, Loading } from "../parts/states.tsx";
import { useLoad } from "../parts/use-load.ts";
import { tenant } from "../session.ts";
import { Alarms } from "./overview/alarms.tsx";
import { Health } from "./overview/health.tsx";
import { Ledger } from "./overview/ledger.tsx";
import { Rates } from "./overview/rates.tsx";

/** Often enough to see a fault within half a minute; an answer costs some reads of DynamoDB and no database. */
const POLL_MS = 15_000;

/** The state of the installation: all accepted events by what became of them, their pace, and what is wrong. */
export function Overview() {
  const status = useLoad(
    `status ${tenant.value}`,
    // The first request is shown as a command, those that refresh are not.
    async (signal, isReload) => (await call<StatusAnswer>("GET", "status", { signal, record: !isReload })).body,
    { keep: true },
  );
  usePoll(POLL_MS, status.reload);
  const { data, problem } = status;
  return (
    <>
      <header class="head">
        <h1>Overview</h1>
        {data !== undefined && (
          <p class="quiet number" title={time(data.at)}>
            {problem === undefined
              ? `As of ${ago(data.at)}`
              : `Not refreshed since ${time(data.at)}: ${problem.message}`}
          </p>
        )}
      </header>
      {data === undefined && problem === undefined && <Loading what="Loading the status" />}
      {data === undefined && problem !== undefined && <Failed problem={problem} onRetry={status.reload} />}
      {data !== undefined && (
        <>
          <Alarms />
          <Ledger status={data} />
          <Health status={data} />
          <Rates />
        </>
      )}
    </>
  );
}
