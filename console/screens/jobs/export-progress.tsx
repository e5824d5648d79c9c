import { call } from "../../api/client.ts";
import { bytes, count, time } from "../../parts/format.ts";
import { JobReceipt } from "../../parts/job-receipt.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useJob } from "../../parts/use-job.ts";
import type { ExportJob } from "../../types.ts";
import { Asked } from "./asked.tsx";
import { exportRow } from "./job-row.ts";

/** The progress of an export; when it is done, its files. */
export function ExportProgress({ id }: { id: string }) {
  const path = `exports/${encodeURIComponent(id)}`;
  const { job, problem, end, reload } = useJob(
    id,
    async (record, signal) => (await call<ExportJob>("GET", path, { record, signal })).body,
    exportRow,
  );
  const cancel = useAction(async () => {
    await call("POST", `${path}/cancel`);
    reload();
  });
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (job === undefined) return <Loading what="Loading the export" />;
  const row = exportRow(job);
  const { filter, from, to, select, format } = job;
  return (
    <JobReceipt
      label={`Export as ${format.toUpperCase()}`}
      row={row}
      end={end}
      onCancel={row.isFinished ? undefined : cancel.run}
      onReload={reload}
    >
      {cancel.problem !== undefined && <Failed problem={cancel.problem} />}
      <Files job={job} onReload={reload} />
      <Asked request={{ filter, from, to, select, format }} keyId={job.keyId} createdAt={job.createdAt} />
    </JobReceipt>
  );
}

function Files({ job, onReload }: { job: ExportJob; onReload: () => void }) {
  const { manifest, files = [], linksExpireAt, filesExpireAt, filesExpiredAt, next } = job;
  if (filesExpiredAt !== undefined) return <p class="note">Its files are deleted since {time(filesExpiredAt)}.</p>;
  if (manifest === undefined) return null;
  return (
    <section aria-label="Files">
      <h2>Files</h2>
      <p class="quiet">
        Kept until {filesExpireAt === undefined ? "they expire" : time(filesExpireAt)}. The links work until{" "}
        {linksExpireAt === undefined ? "they expire" : time(linksExpireAt)}:{" "}
        <button type="button" class="inline" onClick={onReload}>
          new links
        </button>
      </p>
      <ul class="senders">
        <li>
          <a href={manifest.url}>{manifest.name}</a> <span class="quiet">lists every file</span>
        </li>
        {files.map(({ name, url, rows, bytes: size, sha256 }) => (
          <li key={name}>
            <a href={url}>{name}</a>{" "}
            <span class="quiet">
              {count(rows)} events, {bytes(size)}, SHA-256 <code title={sha256}>{sha256.slice(0, 12)}…</code>
            </span>
          </li>
        ))}
      </ul>
      {next !== undefined && (
        <p class="quiet">
          There are more files. The command downloads and verifies all: <code>npm run export -- --help</code>
        </p>
      )}
    </section>
  );
}
