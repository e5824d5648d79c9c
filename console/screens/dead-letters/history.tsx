import { eventLink } from "../../parts/event-link.ts";
import { time } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import { link } from "../../route.ts";
import type { DeadLetter } from "../../types.ts";

/** The replays of a dead letter and what became of them, or its discard. */
export function History({ deadLetter: { history, eventId, source } }: { deadLetter: DeadLetter }) {
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
              <a href={link("jobs", {}, ["replays", replayId])}>the job</a>
              {outcome === "stored" && eventId !== null && source !== null && (
                <>
                  , <a href={eventLink(eventId, source)}>the event</a>
                </>
              )}
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
