import { time } from "../../parts/format.ts";
import { JsonTree } from "../../parts/json-tree.tsx";

/** The request that started a job, and who sent it. */
export function Asked({
  request,
  keyId,
  createdAt,
}: {
  request: object | undefined;
  keyId: string;
  createdAt: string;
}) {
  return (
    <section aria-label="What was asked for">
      <h2>What was asked for</h2>
      <p class="quiet">
        by key <code>{keyId}</code>, <time dateTime={createdAt}>{time(createdAt)}</time>
      </p>
      {request === undefined || Object.keys(request).length === 0 ? (
        <p>Everything: no condition.</p>
      ) : (
        <JsonTree text={JSON.stringify(request)} open={3} />
      )}
    </section>
  );
}
