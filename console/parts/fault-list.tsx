import type { EventFault } from "../types.ts";
import { Text } from "./text.tsx";

type Props = { faults: readonly EventFault[]; title: string; onGo?: ((pointer: string) => void) | undefined };

/** The errors of an event, each with its place; a click on one goes there. */
export function FaultList({ faults, title, onGo }: Props) {
  return (
    <div class="note bad" role="alert">
      <b>{title}</b>
      <ul class="faults">
        {faults.map(({ path, code, message }, index) => (
          <li key={index}>
            {onGo === undefined ? (
              <code>
                <Text value={path === "" ? "the event" : path} />
              </code>
            ) : (
              <button type="button" class="inline mono" onClick={() => onGo(path)}>
                <Text value={path === "" ? "the event" : path} />
              </button>
            )}{" "}
            <Text value={message} /> <span class="quiet">{code}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
