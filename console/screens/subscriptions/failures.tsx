import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { count, plural } from "../../parts/format.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { When } from "../../parts/when.tsx";
import type { FailureGroup } from "../../types.ts";
import { RetryDialog } from "./retry-dialog.tsx";

type Props = { path: string; id: string; onStarted: () => void };

/** Failed deliveries by their cause, each of which can be tried again. */
export function Failures({ path, id, onStarted }: Props) {
  const { data, problem, isLoading, reload } = useLoad(path, async (signal) => {
    return (await call<{ groups: FailureGroup[] }>("GET", `${path}/failures`, { signal })).body.groups;
  });
  const [codes, setCodes] = useState<{ codes: readonly number[]; what: string }>();
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (data === undefined) return <Loading what="Grouping failures" />;
  if (data.length === 0) {
    return (
      <Empty title="No delivery has failed">
        <p>
          A delivery fails when its schedule is over: 10 tries in 75 hours. Until then it is pending, and its attempts
          say why.
        </p>
        <button type="button" onClick={reload} disabled={isLoading}>
          Refresh
        </button>
      </Empty>
    );
  }
  const total = data.reduce((sum, group) => sum + group.count, 0);
  return (
    <>
      <div class="buttons">
        <button type="button" class="primary" onClick={() => setCodes({ codes: [], what: "failed deliveries" })}>
          Retry all or some…
        </button>
        <span class="quiet">{plural(total, "failed delivery", "failed deliveries")}</span>
      </div>
      <ul class="rows" aria-label="Causes of failures">
        {data.map((group) => (
          <Group
            key={`${group.code} ${group.error}`}
            group={group}
            onRetry={(code) => setCodes({ codes: [code], what: `deliveries that failed with ${code}` })}
          />
        ))}
      </ul>
      {codes !== undefined && (
        <RetryDialog
          {...codes}
          path={path}
          id={id}
          onClose={(hasStarted) => {
            setCodes(undefined);
            if (!hasStarted) return;
            reload();
            onStarted();
          }}
        />
      )}
    </>
  );
}

function Group({ group, onRetry }: { group: FailureGroup; onRetry: (code: number) => void }) {
  const { code, error, count: size, firstAt, lastAt, sample } = group;
  return (
    <li class="row card">
      <div class="row-main">
        <p>
          <span class="badge bad">{code ?? "no answer"}</span> <Text value={error} max={400} />
        </p>
        <p class="quiet">
          for example <Text value={sample.eventId} max={100} />
        </p>
      </div>
      <div class="row-side">
        <b class="number">{count(size)}</b>
        <span class="quiet">
          first <When at={firstAt} />, last <When at={lastAt} />
        </span>
        {code !== null && (
          <button type="button" class="small" onClick={() => onRetry(code)}>
            Retry those with {code}…
          </button>
        )}
      </div>
    </li>
  );
}
