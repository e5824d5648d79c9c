import { useState } from "preact/hooks";
import { count } from "./format.ts";
import { beginning, visiblePieces } from "./visible-text.ts";

type Props = {
  value: string;
  /** Characters that are shown at first. */
  max?: number;
  /** Whether the rest can be shown; else it is left out with an ellipsis. */
  expandable?: boolean;
};

/** Characters that are shown by one click: a million in one element make a browser slow. */
const MORE = 100_000;

/** Text of an event or of anything else that somebody sent: as text alone, isolated from the text around it. */
export function Text({ value, max = 400, expandable = false }: Props) {
  const [shown, setShown] = useState(max);
  const rest = value.length - shown;
  const text = beginning(value, shown);
  return (
    <bdi class="text">
      {visiblePieces(text).map((piece, index) =>
        typeof piece === "string" ? (
          piece
        ) : (
          <span key={index} class="mark" title="A character that cannot be seen">
            {piece.code}
          </span>
        ),
      )}
      {rest > 0 && !expandable && "…"}
      {rest > 0 && expandable && (
        <button type="button" class="inline" onClick={() => setShown(shown + MORE)}>
          {rest > MORE
            ? `… show ${count(MORE)} more of ${count(value.length)} characters`
            : `… show all (${count(value.length)} characters)`}
        </button>
      )}
    </bdi>
  );
}
