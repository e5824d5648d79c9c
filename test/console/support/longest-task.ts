import type { Browser, Page } from "playwright-core";

type TraceEvent = { name: string; pid: number; tid: number; dur?: number; tdur?: number; args?: { name?: string } };

/**
 * The longest task of a page's main thread while something goes on, in milliseconds: by the clock, which also runs while other work of
 * the machine has the core, and by the thread's own time, which is what it takes on a machine at rest.
 */
export async function longestTask(
  browser: Browser,
  page: Page,
  use: () => Promise<void>,
): Promise<{ clock: number; thread: number }> {
  await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
  await use();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(threadOf),
  );
  const tasks = traceEvents.filter((event) => event.name === "RunTask" && threads.has(threadOf(event)));
  if (tasks.length === 0) throw new Error("The trace has no task of the page.");
  const longest = (member: "dur" | "tdur") => Math.max(...tasks.map(({ dur = 0, [member]: own = dur }) => own)) / 1_000;
  return { clock: longest("dur"), thread: longest("tdur") };
}

const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
