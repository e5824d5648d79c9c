import { useState } from "preact/hooks";
import { CopyButton } from "../../parts/copy-button.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Text } from "../../parts/text.tsx";
import type { DeadLetter } from "../../types.ts";
import { eventText } from "./event-text.ts";

/** The event as a tree, or the whole message as it came. */
export function Body({ deadLetter: { isEvent, body } }: { deadLetter: DeadLetter }) {
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
