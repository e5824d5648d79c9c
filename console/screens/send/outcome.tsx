import { eventLink } from "../../parts/event-link.ts";
import { duration, time } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import { link } from "../../route.ts";
import type { Fate } from "./stages.ts";

export type Sent = {
  id: string;
  source: string;
  isUnchecked: boolean;
  /** From the request to its answer: checked, and confirmed by the queue. */
  acceptedMs: number;
  /** From the answer to the first look that found it. */
  fate: Fate;
  fateMs: number;
};

/** The stages of an event that was sent, each with its time. */
export function Outcome({ sent }: { sent: Sent }) {
  const { id, source, isUnchecked, acceptedMs, fate, fateMs } = sent;
  return (
    <section class="card" aria-labelledby="outcome">
      <h2 id="outcome">
        What became of <Text value={id} max={120} />
      </h2>
      <ol class="steps" aria-live="polite">
        <li>
          <span class="badge good">accepted</span> checked, and confirmed by the queue:{" "}
          <b class="number">{duration(acceptedMs)}</b>
          {isUnchecked && <span class="warn"> Its data was not checked: the catalog has no schema for it.</span>}
        </li>
        <li>
          <End id={id} source={source} fate={fate} ms={fateMs} />
        </li>
      </ol>
    </section>
  );
}

function End({ id, source, fate, ms }: { id: string; source: string; fate: Fate; ms: number }) {
  switch (fate.kind) {
    case "waiting":
      return (
        <>
          <span class="badge accent">in the queue</span> it is looked for until it is stored…
        </>
      );
    case "stored": {
      const { receivedat } = fate.event;
      return (
        <>
          <span class="badge good">stored</span> and readable: <b class="number">{duration(ms)}</b> later
          {typeof receivedat === "string" && (
            <span class="quiet"> · received {time(receivedat, { millis: true })}</span>
          )}{" "}
          · <a href={eventLink(id, source)}>open the event</a>
        </>
      );
    }
    case "dead_lettered":
      return (
        <>
          <span class="badge bad">dead letter</span> <code>{fate.reason}</code> <Text value={fate.message ?? ""} />{" "}
          {fate.deadLetter !== undefined && <a href={link("dead-letters", {}, [fate.deadLetter])}>look at it</a>}
        </>
      );
    case "given_up":
      return (
        <>
          <span class="badge warn">not seen stored</span> It is accepted all the same, and will be stored or become a
          dead letter. <a href={link("overview")}>The overview</a> says what holds it back.
        </>
      );
  }
}
