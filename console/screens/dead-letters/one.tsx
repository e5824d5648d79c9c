import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { plural, time } from "../../parts/format.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { When } from "../../parts/when.tsx";
import { link, route, setParams } from "../../route.ts";
import { can, tenant } from "../../session.ts";
import type { DeadLetter } from "../../types.ts";
import { Edit } from "./edit.tsx";
import { eventText, toEditable } from "./event-text.ts";
import { JobDialog } from "./job-dialog.tsx";

const TONES = { open: "bad", replayed: "accent", discarded: "warn" } as const;

/** One dead letter whole: the reason, the event, and what became of its replays. */
export function One({ id }: { id: string }) {
  const { params } = route.value;
  const { data, problem, reload } = useLoad(`${tenant.value} ${id}`, async (signal) => {
    return (await call<DeadLetter>("GET", `dead-letters/${encodeURIComponent(id)}`, { signal })).body;
  });
  const [doing, setDoing] = useState<"replay" | "discard">();
  const back = new URLSearchParams(params);
  back.delete("edit");
  const mayAct = data?.state === "open" && can("dead-letters:replay");
  const editable = data?.isEvent === true ? toEditable(data.body) : undefined;
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
          <Reason deadLetter={data} />
          {isEditing ? (
            <Edit id={id} editable={editable} onReplayed={reload} onCancel={() => setParams({ edit: undefined })} />
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

function Reason({ deadLetter }: { deadLetter: DeadLetter }) {
  const {
    reason,
    sqlState,
    message,
    openedAt,
    receivedAt,
    attempts,
    replays,
    type,
    source,
    tenant: owner,
  } = deadLetter;
  return (
    <section class="card" aria-labelledby="why">
      <h2 id="why">Why it is not stored</h2>
      <p>
        <span class="badge bad">{reason}</span> {sqlState !== null && <code>{sqlState}</code>}{" "}
        <Text value={message} max={2_000} expandable />
      </p>
      <dl class="pairs">
        <dt>Type</dt>
        <dd>{type === null ? "–" : <Text value={type} />}</dd>
        <dt>Source</dt>
        <dd>{source === null ? "–" : <Text value={source} />}</dd>
        <dt>Tenant</dt>
        <dd>{owner ?? "none: the message names none"}</dd>
        <dt>Accepted</dt>
        <dd>
          <When at={receivedAt} />
        </dd>
        <dt>Open since</dt>
        <dd>
          <When at={openedAt} />
        </dd>
        <dt>Tried</dt>
        <dd>
          {plural(attempts, "time")} by the consumer; replayed {plural(replays, "time")}
        </dd>
      </dl>
    </section>
  );
}

/** The event as a tree, or the whole message as it came. */
function Body({ deadLetter: { isEvent, body } }: { deadLetter: DeadLetter }) {
  const [isRaw, setRaw] = useState(false);
  const event = isEvent ? eventText(body) : undefined;
  return (
    <section class="card" aria-labelledby="body">
      <header>
        <h2 id="body">{event !== undefined ? "Event" : "Message: it could not be read as an event"}</h2>
        <span class="buttons">
          {event !== undefined && (
            <button type="button" class="small" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
              Whole message
            </button>
          )}
          <CopyButton text={isRaw ? body : (event ?? body)} />
        </span>
      </header>
      {event !== undefined && !isRaw ? (
        <JsonTree text={event} open={3} />
      ) : (
        <pre>
          <Text value={body} max={20_000} expandable />
        </pre>
      )}
    </section>
  );
}

function History({ deadLetter: { history } }: { deadLetter: DeadLetter }) {
  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">History</h2>
      {history.length === 0 ? (
        <p class="quiet">Nobody has replayed or discarded it.</p>
      ) : (
        <ol class="steps">
          {history.map(({ number, replayId, takenAt, sentAt, outcome, reason, message }) => (
            <li key={`${number} ${replayId}`}>
              <b>{number === 0 ? "Discarded" : `Replay ${number}`}</b> <time dateTime={takenAt}>{time(takenAt)}</time>{" "}
              {number > 0 && <Outcome outcome={outcome} isSent={sentAt !== null} />}{" "}
              {reason !== null && <code>{reason}</code>} {message !== null && <Text value={message} />}{" "}
              <a href={link("jobs", {}, ["replays", replayId])}>job</a>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Outcome({ outcome, isSent }: { outcome: DeadLetter["history"][number]["outcome"]; isSent: boolean }) {
  if (outcome === "stored") return <span class="badge good">stored</span>;
  if (outcome === "dead_lettered") return <span class="badge bad">came back</span>;
  return <span class="badge">{isSent ? "sent, outcome not known yet" : "not sent yet"}</span>;
}
