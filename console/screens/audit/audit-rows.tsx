import { time } from "../../parts/format.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Text } from "../../parts/text.tsx";
import { When } from "../../parts/when.tsx";
import { link } from "../../route.ts";
import type { AuditEntry } from "../../types.ts";

/** Entries of the audit log, each of which opens to its details and its place in the chain. */
export function AuditRows({ entries }: { entries: readonly AuditEntry[] }) {
  return (
    <ol class="rows tight" aria-label="Entries, latest first">
      {entries.map((entry) => (
        <li key={entry.number} class="card">
          <details>
            <summary class="row">
              <span class="row-main">
                <span>
                  <span class="quiet number">{entry.number}</span> <b>{entry.action}</b>{" "}
                  <Text value={entry.target} max={120} />
                </span>
              </span>
              <span class="row-side">
                <span class="quiet">
                  <When at={entry.at} /> by <code>{entry.who}</code>
                </span>
              </span>
            </summary>
            <Details entry={entry} />
          </details>
        </li>
      ))}
    </ol>
  );
}

function Details({ entry: { at, who, action, target, details, requestId, previous, hash } }: { entry: AuditEntry }) {
  const place = placeOf(action, target);
  return (
    <div class="stack inner">
      {Object.keys(details).length > 0 ? <JsonTree text={JSON.stringify(details)} /> : <p class="quiet">No details.</p>}
      <dl class="pairs">
        <dt>At</dt>
        <dd>
          <time dateTime={at}>{time(at, { millis: true })}</time>
        </dd>
        <dt>Who</dt>
        <dd>
          {who === "deployer" ? (
            "deployer: whoever may invoke the function"
          ) : (
            <a href={link("keys", {}, [who])}>{who}</a>
          )}
        </dd>
        <dt>What</dt>
        <dd>{place === undefined ? <Text value={target} /> : <a href={place}>{target}</a>}</dd>
        <dt>Request</dt>
        <dd>
          <code>{requestId}</code>
        </dd>
        <dt>Follows</dt>
        <dd>
          <code class="hash">{previous}</code>
        </dd>
        <dt>Hash</dt>
        <dd>
          <code class="hash">{hash}</code>
        </dd>
      </dl>
    </div>
  );
}

/** The address of what an entry is about, as far as a screen shows it. */
function placeOf(action: string, target: string): string | undefined {
  if (action.startsWith("key.")) return link("keys", {}, [target]);
  if (action.startsWith("replay.") || action.startsWith("dead-letters.")) return link("jobs", {}, ["replays", target]);
  if (action.startsWith("subscription.")) return link("subscriptions", {}, [target]);
  if (action.startsWith("export.")) return link("jobs", {}, ["exports", target]);
  return undefined;
}
