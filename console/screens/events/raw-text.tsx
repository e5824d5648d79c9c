import { useState } from "preact/hooks";
import { CopyButton } from "../../parts/copy-button.tsx";
import { indent } from "../../parts/json-parts.ts";
import { Text } from "../../parts/text.tsx";

/** Characters that are shown at first: more of them in one element make a browser slow. */
const SHOWN = 20_000;

/** The event as the API returns it, byte for byte, or with a member a line. */
export function RawText({ text }: { text: string }) {
  const [isIndented, setIndented] = useState(false);
  const shown = isIndented ? indent(text.trim()) : text;
  return (
    <div class="stack">
      <div class="buttons">
        <label class="check">
          <input type="checkbox" checked={isIndented} onChange={(event) => setIndented(event.currentTarget.checked)} />A
          member a line
        </label>
        <CopyButton text={shown} />
      </div>
      <pre tabIndex={0}>
        <Text key={String(isIndented)} value={shown} max={SHOWN} expandable />
      </pre>
    </div>
  );
}
