import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { KEEPS_DIGITS } from "../../parts/keeps-digits.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { useOpened } from "../../parts/use-opened.ts";
import { link, route, setParams } from "../../route.ts";
import { can, tenant } from "../../session.ts";
import type { DeadLetter } from "../../types.ts";
import { ReplayProgress } from "../jobs/replay-progress.tsx";
import { Edit } from "./edit.tsx";
import { Body } from "./body.tsx";
import { toEditable } from "./event-text.ts";
import { History } from "./history.tsx";
import { JobDialog } from "./job-dialog.tsx";
import { Reason } from "./reason.tsx";

const TONES = { open: "bad", replayed: "accent", discarded: "warn" } as const;

/** One dead letter whole: the reason, the event, and what became of its replays. */
export function One({ id }: { id: string }) {
  useOpened();
  const { params } = route.value;
  const { data, problem, reload } = useLoad(`${tenant.value} ${id}`, async (signal) => {
    return (await call<DeadLetter>("GET", `dead-letters/${encodeURIComponent(id)}`, { signal })).body;
  });
  const [doing, setDoing] = useState<"replay" | "discard">();
  const [replayId, setReplayId] = useState<string>();
  const back = new URLSearchParams(params);
  back.delete("edit");
  const mayAct = data?.state === "open" && can("dead-letters:replay");
  const editable = KEEPS_DIGITS && data?.isEvent === true ? toEditable(data.body) : undefined;
  const isEditing = params.has("edit") && mayAct && editable !== undefined;
  return (
    <>
      <header class="head">
        <h1>
          <a href={link("dead-letters", back)}>Dead letters</a> <span class="quiet">/</span>{" "}
          <Text value={data?.eventId ?? id} max={120} />{" "}
          {data !== undefined && <span class={`badge ${TONES[data.state]}`}>{data.state}</span>}
        </h1>
        {mayAct && !isEditing && (
          <div class="buttons">
            <button type="button" class="primary" onClick={() => setDoing("replay")}>
              Replay…
            </button>
            {editable !== undefined && (
              <button type="button" onClick={() => setParams({ edit: "1" })}>
                Correct and replay…
              </button>
            )}
            <button type="button" onClick={() => setDoing("discard")}>
              Discard…
            </button>
          </div>
        )}
      </header>
      {problem !== undefined && <Failed problem={problem} onRetry={reload} />}
      {data === undefined ? (
        problem === undefined && <Loading what="Loading the dead letter" lines={8} />
      ) : (
        <>
          {replayId !== undefined && (
            <section class="card" aria-label="The replay of the corrected event">
              <ReplayProgress id={replayId} onSettled={reload} />
            </section>
          )}
          <Reason deadLetter={data} />
          {isEditing ? (
            <Edit
              id={id}
              editable={editable}
              onStarted={(started) => {
                setReplayId(started);
                setParams({ edit: undefined });
              }}
              onCancel={() => setParams({ edit: undefined })}
            />
          ) : (
            <Body deadLetter={data} />
          )}
          <History deadLetter={data} />
        </>
      )}
      {doing !== undefined && (
        <JobDialog
          action={doing}
          chosen={{ ids: [id] }}
          what="one dead letter"
          onClose={(hasStarted) => {
            setDoing(undefined);
            if (hasStarted) reload();
          }}
        />
      )}
    </>
  );
}
