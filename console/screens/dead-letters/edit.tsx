import { useRef, useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { Problem } from "../../api/problem.ts";
import { FaultList } from "../../parts/fault-list.tsx";
import { plural } from "../../parts/format.ts";
import { readEvent } from "../../parts/read-event.ts";
import { placeOfPointer } from "../../parts/place-of-pointer.ts";
import { Failed } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useOnce } from "../../parts/use-once.ts";
import type { EventFault, ReplayJob, ReplayPlan } from "../../types.ts";
import { changedLines, type EditableEvent } from "./event-text.ts";
import { planBody } from "./selection.ts";

type Props = { id: string; editable: EditableEvent; onStarted: (replayId: string) => void; onCancel: () => void };

/** The result of a dry run of a text. */
type Check = { text: string; planned?: number; fault?: string; errors: readonly EventFault[] };

/** The event as it came beside the correction, which a dry run checks as `POST /events` checks events. */
export function Edit({ id, editable: { source, id: eventId, text: before }, onStarted, onCancel }: Props) {
  const [text, setText] = useState(before);
  const [check, setCheck] = useState<Check>();
  const area = useRef<HTMLTextAreaElement>(null);
  const once = useOnce();
  const current = check?.text === text ? check : undefined;
  const isValid = (current?.planned ?? 0) > 0;

  const validate = useAction(async () => {
    const read = readEvent(text);
    if ("fault" in read) return setCheck({ text, fault: read.fault, errors: [] });
    const body = planBody({}, { edits: [{ id, event: read.event }] });
    try {
      const { planned } = (await call<ReplayPlan>("POST", "replays", { body })).body;
      setCheck({ text, planned, errors: [] });
    } catch (error) {
      setCheck({ text, ...faultsOf(error) });
    }
  });
  const start = useAction(async () => {
    const read = readEvent(text);
    if ("fault" in read) return;
    // One dead letter, whose id is in the edit.
    const body = { edits: [{ id, event: read.event }], planned: 1 };
    onStarted((await call<ReplayJob>("POST", "replays", { body, headers: once(body) })).body.id);
  });
  const goTo = (pointer: string) => {
    const { start: from, end } = placeOfPointer(text, pointer);
    area.current?.focus();
    area.current?.setSelectionRange(from, end);
  };

  return (
    <section class="card stack" aria-labelledby="correct">
      <h2 id="correct">Correct the event</h2>
      <p class="quiet">
        Its key stays: source{" "}
        <code>
          <Text value={source} />
        </code>
        , id{" "}
        <code>
          <Text value={eventId} />
        </code>
        .
      </p>
      <div class="beside">
        <div>
          <h3 id="as-it-came">As it came</h3>
          <pre tabIndex={0} role="region" aria-labelledby="as-it-came">
            <Text value={before} max={20_000} expandable />
          </pre>
        </div>
        <label>
          <span>
            Corrected <span class="quiet">({plural(changedLines(before, text), "line")} changed)</span>
          </span>
          <textarea
            ref={area}
            name="event"
            rows={Math.min(30, before.split("\n").length + 2)}
            spellcheck={false}
            value={text}
            aria-invalid={current?.fault !== undefined}
            aria-describedby="edit-check"
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
      </div>
      <div id="edit-check" aria-live="polite">
        {current?.fault !== undefined && current.errors.length === 0 && <p class="note bad">{current.fault}</p>}
        {current !== undefined && current.errors.length > 0 && (
          <FaultList faults={current.errors} title="This event would be refused" onGo={goTo} />
        )}
        {isValid && <p class="note good">It is valid, and the dead letter is still open.</p>}
        {current?.planned === 0 && <p class="note warn">It is valid, but the dead letter is no longer open.</p>}
      </div>
      {validate.problem !== undefined && <Failed problem={validate.problem} />}
      {start.problem !== undefined && <Failed problem={start.problem} />}
      <div class="buttons">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" disabled={validate.isRunning} onClick={validate.run}>
          {validate.isRunning ? "Checking…" : "Validate"}
        </button>
        <button type="button" class="primary" disabled={!isValid || start.isRunning} onClick={start.run}>
          Replay the corrected event
        </button>
      </div>
    </section>
  );
}

/** The faults in a refusal of the edit; any other error is thrown. */
function faultsOf(error: unknown): Omit<Check, "text"> {
  if (!(error instanceof Problem) || error.code !== "bad_edits") throw error;
  const edits = error.members["edits"] as readonly { fault: string; errors?: readonly EventFault[] }[] | undefined;
  const [edit] = edits ?? [];
  return { fault: edit?.fault ?? error.message, errors: edit?.errors ?? [] };
}
