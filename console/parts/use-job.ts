import { useEffect, useState } from "preact/hooks";
import { isAborted } from "../api/client.ts";
import { type Problem, toProblem } from "../api/problem.ts";
import { isAwake } from "../frame/awake.ts";
import type { JobRow } from "../screens/jobs/job-row.ts";
import { watchJob, type WatchEnd } from "../screens/jobs/watch-job.ts";

export type JobWatch<Job> = {
  job: Job | undefined;
  problem: Problem | undefined;
  /** Why its progress is asked for no longer; undefined while it is. */
  end: WatchEnd | undefined;
  reload: () => void;
};

/** Watches a job while the page is looked at: until nothing changes any more. */
export function useJob<Job>(
  key: string,
  read: (isFirst: boolean, signal: AbortSignal) => Promise<Job>,
  toRow: (job: Job) => JobRow,
): JobWatch<Job> {
  const [state, setState] = useState<Omit<JobWatch<Job>, "reload">>({
    job: undefined,
    problem: undefined,
    end: undefined,
  });
  const [version, setVersion] = useState(0);
  const awake = isAwake.value;

  useEffect(() => {
    if (!awake) return;
    const controller = new AbortController();
    const { signal } = controller;
    let isFirst = true;
    setState((before) => ({ ...before, problem: undefined, end: undefined }));
    const watch = watchJob({
      read: async () => {
        const job = await read(isFirst, signal);
        isFirst = false;
        if (!signal.aborted) setState((before) => ({ ...before, job }));
        return toRow(job);
      },
      now: () => performance.now(),
      pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      isUnwatched: () => signal.aborted || !isAwake.value,
    });
    watch.then(
      (end) => !signal.aborted && setState((before) => ({ ...before, end })),
      (error: unknown) => {
        if (!signal.aborted && !isAborted(error)) setState((before) => ({ ...before, problem: toProblem(error) }));
      },
    );
    return () => controller.abort();
  }, [key, awake, version]);

  return { ...state, reload: () => setVersion(version + 1) };
}
