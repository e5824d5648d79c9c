import { useState } from "preact/hooks";
import { count, time } from "../../parts/format.ts";
import { Sparkline } from "../../parts/sparkline.tsx";
import { Text } from "../../parts/text.tsx";
import { When } from "../../parts/when.tsx";
import { link, setParams } from "../../route.ts";
import { can, isOfInstallation } from "../../session.ts";
import { type Cause, sendersOf } from "./causes.ts";

type Props = { cause: Cause; from: string; to: string };

/** A cause of refusals, which opens to its senders and samples. */
export function CauseRow({ cause, from, to }: Props) {
  const { tenant, code, type, pointer, count: size, first, last, days } = cause;
  const [isOpen, setOpen] = useState(false);
  return (
    <li class="card">
      <details class="cause" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary class="row">
          <span class="row-main">
            <span>
              <span class="badge bad">{code}</span>{" "}
              {pointer !== "" && (
                <code>
                  <Text value={pointer} max={200} />
                </code>
              )}
              {code === "others" && " the day had too many different causes"}
            </span>
            <span class="quiet">
              {type === undefined ? (
                "no type: the whole request, or an event without one"
              ) : (
                <Text value={type} max={200} />
              )}
              {isOfInstallation.value && ` · tenant ${tenant}`}
            </span>
          </span>
          <span class="row-side">
            <b class="number">{count(size)}</b>
            {days.length > 1 && <Sparkline values={perDay(cause, from, to)} />}
            <span class="quiet">
              first <When at={first} />, last <When at={last} />
            </span>
          </span>
        </summary>
        {isOpen && (
          <div class="stack inner">
            <p class="buttons">
              <button type="button" class="small" onClick={() => setParams({ code, type, pointer })}>
                Only this cause
              </button>
              {type !== undefined && can("events:read") && (
                <a href={link("types", {}, [type])}>The type and its schema</a>
              )}
            </p>
            <Senders cause={cause} />
            <Samples cause={cause} />
          </div>
        )}
      </details>
    </li>
  );
}

function Senders({ cause }: { cause: Cause }) {
  const senders = sendersOf(cause.samples);
  if (senders.length === 0) return <p class="quiet">It has no sample.</p>;
  return (
    <div>
      <h2>Who sends it, by the latest samples</h2>
      <ul class="senders">
        {senders.map(({ keyId, userAgents, sources }) => (
          <li key={keyId}>
            Key {can("keys") ? <a href={link("keys", {}, [keyId])}>{keyId}</a> : <code>{keyId}</code>}
            {userAgents.length > 0 && (
              <>
                {" "}
                with <Text value={userAgents.join(", ")} max={300} />
              </>
            )}
            {sources.length > 0 && (
              <>
                {" "}
                from <Text value={sources.join(", ")} max={300} />
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Samples({ cause: { samples } }: { cause: Cause }) {
  return (
    <div>
      <h2>Samples, without values of the data</h2>
      <ol class="samples">
        {samples.map(({ at, id, source, requestId, members }) => (
          <li key={`${requestId} ${id}`}>
            <p>
              <time dateTime={at}>{time(at)}</time> {id !== undefined && <Text value={id} />}{" "}
              {source !== undefined && (
                <span class="quiet">
                  <Text value={source} />
                </span>
              )}{" "}
              <span class="quiet">
                request <code>{requestId}</code>
              </span>
            </p>
            {members !== undefined && (
              <p class="members">
                {Object.entries(members).map(([name, form]) => (
                  <code key={name}>
                    <Text value={name} />: <span class="quiet">{form}</span>
                  </code>
                ))}
              </p>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** A count for each day of the range. */
function perDay({ days }: Cause, from: string, to: string): number[] {
  const counts = new Map(days.map(({ day, count: size }) => [day, size]));
  const values: number[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000) {
    values.push(counts.get(new Date(at).toISOString().slice(0, 10)) ?? 0);
  }
  return values;
}
