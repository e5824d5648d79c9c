import { call } from "../../api/client.ts";
import { usePoll } from "../../frame/awake.ts";
import { ago, plural, time } from "../../parts/format.ts";
import { useLoad } from "../../parts/use-load.ts";

/** The answer to `GET /status/alarms`. */
type Alarms =
  | { unavailable: string }
  | { counts?: { ok: number; alarm: number; insufficientData: number }; alarms: readonly Alarm[] };

type Alarm = { name: string; since: string; description?: string; reason: string; runbook?: string };

/** The API keeps its answer for as long. */
const POLL_MS = 30_000;

/** The alarms that are going off, with what to do. */
export function Alarms() {
  const { data, problem, reload } = useLoad(
    "alarms",
    async (signal) => (await call<Alarms>("GET", "status/alarms", { signal, record: false })).body,
    { keep: true },
  );
  usePoll(POLL_MS, reload);
  if (data === undefined) {
    return problem === undefined ? null : <p class="note warn">Alarms could not be read: {problem.message}</p>;
  }
  if ("unavailable" in data) return <p class="note quiet">Alarms are not known: {data.unavailable}</p>;
  const { alarms, counts } = data;
  if (alarms.length === 0) {
    return (
      <p class="note">
        <span class="good">No alarm is going off.</span>{" "}
        {counts !== undefined && (
          <span class="quiet">{plural(counts.ok + counts.insufficientData, "alarm")} watch.</span>
        )}
      </p>
    );
  }
  return (
    <section class="stack" aria-label={`${plural(alarms.length, "alarm")} going off`} role="alert">
      {alarms.map((alarm) => (
        <Going key={alarm.name} alarm={alarm} />
      ))}
    </section>
  );
}

function Going({ alarm: { name, since, description, reason, runbook } }: { alarm: Alarm }) {
  return (
    <div class="note bad">
      <b class="bad">{name}</b>{" "}
      <time class="quiet" dateTime={since} title={time(since)}>
        went off {ago(since)}
      </time>
      {description !== undefined && <p>{description}</p>}
      <p class="quiet">{reason}</p>
      {runbook !== undefined && <Runbook address={runbook} />}
    </div>
  );
}

/** A link where the alarm has an address; else the place in the repository. */
function Runbook({ address }: { address: string }) {
  if (!address.startsWith("https://")) {
    return (
      <p>
        What to do: <code>{address}</code>
      </p>
    );
  }
  return (
    <a href={address} rel="noreferrer" target="_blank">
      What to do
    </a>
  );
}
