import { useRef } from "preact/hooks";
import { FaultList } from "../../parts/fault-list.tsx";
import { readEvent } from "../../parts/read-event.ts";
import { placeOfPointer } from "../../parts/place-of-pointer.ts";
import type { EventFault } from "../../types.ts";

type Props = { text: string; onText: (text: string) => void; faults: readonly EventFault[] };

/** The whole event as JSON. An error leads to its place in the text. */
export function SendJson({ text, onText, faults }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const fault = faultOf(text);
  const goTo = (pointer: string) => {
    const { start, end } = placeOfPointer(text, pointer);
    area.current?.focus();
    area.current?.setSelectionRange(start, end);
  };
  return (
    <div class="card stack">
      <label>
        The event, in plain JSON or as a CloudEvent
        <textarea
          ref={area}
          name="event"
          rows={20}
          spellcheck={false}
          value={text}
          aria-invalid={fault !== undefined || faults.length > 0}
          aria-describedby="json-fault"
          onInput={({ currentTarget }) => {
            currentTarget.setCustomValidity(faultOf(currentTarget.value) ?? "");
            onText(currentTarget.value);
          }}
        />
      </label>
      <div id="json-fault">
        {fault !== undefined && <p class="note bad">{fault}</p>}
        {fault === undefined && faults.length > 0 && (
          <FaultList faults={faults} title="Where it is wrong" onGo={goTo} />
        )}
      </div>
    </div>
  );
}

function faultOf(text: string): string | undefined {
  const read = readEvent(text);
  return "fault" in read ? read.fault : undefined;
}
