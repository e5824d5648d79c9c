import { type RecordedCall, calls } from "../api/client.ts";
import { toCurl } from "../api/curl.ts";
import { CopyButton } from "./copy-button.tsx";
import { Text } from "./text.tsx";

/** The last call of the page as a command, at its foot; those before it behind a click. */
export function CurlLine() {
  const [last, ...before] = calls.value;
  if (last === undefined) return null;
  return (
    <aside class="curl" aria-label="The last request as a command">
      <details>
        <summary>
          <Outcome call={last} />
          <code class="clip">
            <Text value={toCurl(last)} max={600} />
          </code>
        </summary>
        <ol>
          {[last, ...before].map((call) => (
            <li key={call.number}>
              <Outcome call={call} />
              <code>
                <Text value={toCurl(call)} max={2_000} />
              </code>
              <CopyButton text={toCurl(call)} label="Copy" />
            </li>
          ))}
        </ol>
      </details>
      <CopyButton text={toCurl(last)} label="Copy curl" />
    </aside>
  );
}

function Outcome({ call: { status, ms } }: { call: RecordedCall }) {
  if (status === undefined) return <span class="outcome">…</span>;
  return (
    <span class={`outcome ${status >= 200 && status < 400 ? "good" : "bad"}`}>
      {status === 0 ? "no answer" : status} <span class="quiet">{ms} ms</span>
    </span>
  );
}
