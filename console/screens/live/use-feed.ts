import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { type Problem, toProblem } from "../../api/problem.ts";
import { isAwake, sleepsIdle } from "../../frame/awake.ts";
import { type FeedPage, follow } from "./follow.ts";
import { retryAfter } from "./retry-after.ts";
import { addEvents, EMPTY, type LiveRow, type LiveState } from "./rows.ts";

/** Whether events come, and why not. */
type Standing =
  | { kind: "following" | "paused" | "hidden" | "idle" }
  | { kind: "waiting"; problem: Problem; milliseconds: number }
  | { kind: "failed"; problem: Problem };

export type Feed = {
  state: LiveState;
  rows: readonly LiveRow[];
  standing: Standing;
  lagMs: number;
  /** Goes on at the cursor, or begins at another place, which counts from zero. */
  start: (from: "cursor" | "start" | "now") => void;
  stop: (why: "paused" | "hidden" | "idle") => void;
};

const WAIT_SECONDS = "20";
const PAGE_EVENTS = "1000";

/** Follows the feed of a filter while somebody looks at the page. */
export function useFeed(filter: URLSearchParams): Feed {
  const [state, setState] = useState<LiveState>(EMPTY);
  const [standing, setStanding] = useState<Standing>({ kind: "following" });
  const [lagMs, setLagMs] = useState(0);
  const cursor = useRef<string | undefined>(undefined);
  const running = useRef<AbortController | undefined>(undefined);

  const stop = (why: "paused" | "hidden" | "idle") => {
    if (running.current === undefined) return;
    running.current.abort();
    running.current = undefined;
    setStanding({ kind: why });
  };

  const start = (from: "cursor" | "start" | "now") => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    if (from !== "cursor") {
      setState(EMPTY);
      cursor.current = from === "start" ? "start" : undefined;
    }
    setStanding({ kind: "following" });
    let isFirst = true;
    const ask = async (after: string | undefined, signal: AbortSignal) => {
      // The first answer comes at once, so that the place from which events count is known.
      const wait: [string, string][] = after === undefined ? [] : [["wait", WAIT_SECONDS]];
      const place: [string, string][] = after === undefined ? [] : [["after", after]];
      const query = new URLSearchParams([...filter, ["limit", PAGE_EVENTS], ...place, ...wait]);
      const record = isFirst;
      isFirst = false;
      return (await call<FeedPage>("GET", "feed", { query, signal, record })).body;
    };
    const onPage = ({ events, next, lagMs: lag }: FeedPage) => {
      cursor.current = next;
      setLagMs(lag);
      setState((before) => addEvents(before, events.map(attributesOf), performance.now()));
    };
    follow(
      {
        ask,
        onPage,
        onWait: (wait) =>
          setStanding(
            wait === undefined
              ? { kind: "following" }
              : { kind: "waiting", problem: toProblem(wait.error), milliseconds: wait.milliseconds },
          ),
        pause,
        retryAfter: (error, attempt) => retryAfter(toProblem(error), attempt),
      },
      cursor.current,
      controller.signal,
    ).catch((error: unknown) => {
      if (running.current !== controller) return;
      running.current = undefined;
      setStanding({ kind: "failed", problem: toProblem(error) });
    });
  };

  useEffect(() => {
    start("now");
    return () => running.current?.abort();
  }, []);

  const awake = isAwake.value;
  useEffect(() => {
    if (!awake) stop(sleepsIdle.value ? "idle" : "hidden");
  }, [awake]);

  return { state, rows: state.rows, standing, lagMs, start, stop };
}

/** The members that a row shows, so that the page does not hold the data of hundreds of events. */
function attributesOf(event: unknown): Record<string, unknown> {
  const { type, source, subject, id, receivedat } = event as Record<string, unknown>;
  return { type, source, subject, id, receivedat };
}

/** Waits, or ends at once where the signal is aborted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
