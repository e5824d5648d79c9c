import { useCallback } from "preact/hooks";
import { call } from "../../api/client.ts";
import { usePoll } from "../../frame/awake.ts";
import { ago, time } from "../../parts/format.ts";
import { useLoad } from "../../parts/use-load.ts";

/** The answer to `GET /status/alarms`. */
type Alarms = { unavailable: string } | { at: string; alarms: readonly Alarm[] };
type Alarm = { name: string; state: string; since?: string; reason?: string; runbook?: string };

/** The answer is kept by the API for as long. */
const POLL_MS = 30_000;

/** The alarms that are going off, with what to do. */
export function Alarms() {
  const { data, problem, reload } = useLoad(
    "alarms",
    async (signal) => (await call<Alarms>("GET", "status/alarms", { signal, record: false })).body,
    { keep: true },
  );
  usePoll(POLL_MS, useCallback(reload, [reload]));
  if (problem !== undefined && data === undefined)
    return <p class="note">Alarms could not be read: {problem.message}</p>;
  if (data === undefined) return null;
  if ("unavailable" in data) return <p class="note quiet">No alarms here: {data.unavailable}</p>;
  if (data.alarms.length === 0) return <p class="note good">No alarm is going off.</p>;
  return (
    <section class="alarms" aria-label="Alarms" role="alert">
      {data.alarms.map(({ name, since, reason, runbook }) => (
        <div key={name} class="note bad">
          <b>{name}</b>
          {since !== undefined && <span title={time(since)}> · {ago(since)}</span>}
          {reason !== undefined && <p>{reason}</p>}
          {runbook !== undefined && (
            <a href={runbook} rel="noreferrer">
              What to do
            </a>
          )}
        </div>
      ))}
    </section>
  );
}
