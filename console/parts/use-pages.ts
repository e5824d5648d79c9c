import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAborted } from "../api/client.ts";
import { type Problem, toProblem } from "../api/problem.ts";

export type Page<Row> = { rows: readonly Row[]; next: string | number | null | undefined };

export type Pages<Row> = {
  rows: readonly Row[];
  problem: Problem | undefined;
  isLoading: boolean;
  /** Whether the first page is there. */
  isReady: boolean;
  hasMore: boolean;
  more: () => void;
  reload: () => void;
};

type State<Row> = {
  key: string;
  rows: readonly Row[];
  next?: string | undefined;
  isReady: boolean;
  isLoading: boolean;
  problem?: Problem;
};

/** A page may be empty before the end of its list; so many are asked for by one click. */
const PAGES_AT_ONCE = 5;

/** A list that is loaded page after page: the first one when `key` changes, the others by `more`. */
export function usePages<Row>(
  key: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>,
): Pages<Row> {
  const [state, setState] = useState<State<Row>>({ key, rows: [], isReady: false, isLoading: true });
  const running = useRef<AbortController | undefined>(undefined);
  const latest = useRef(load);
  latest.current = load;

  const go = useCallback(
    (before: { rows: readonly Row[]; cursor: string | undefined; isReady: boolean }) => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      setState({ key, rows: before.rows, next: before.cursor, isReady: before.isReady, isLoading: true });
      const settle = async () => {
        try {
          const { rows, next } = await readSome((cursor) => latest.current(cursor, controller.signal), before.cursor);
          if (controller.signal.aborted) return;
          setState({ key, rows: [...before.rows, ...rows], next, isReady: true, isLoading: false });
        } catch (error) {
          if (controller.signal.aborted || isAborted(error)) return;
          const { rows, cursor: next, isReady } = before;
          setState({ key, rows, next, isReady, isLoading: false, problem: toProblem(error) });
        }
      };
      void settle();
    },
    [key],
  );
  const reload = useCallback(() => go({ rows: [], cursor: undefined, isReady: false }), [go]);

  useEffect(() => {
    reload();
    return () => running.current?.abort();
  }, [reload]);

  const isOther = state.key !== key;
  return {
    rows: isOther ? [] : state.rows,
    problem: isOther ? undefined : state.problem,
    isLoading: isOther || state.isLoading,
    isReady: !isOther && state.isReady,
    hasMore: !isOther && state.next !== undefined,
    more: () => go({ rows: state.rows, cursor: state.next, isReady: true }),
    reload,
  };
}

async function readSome<Row>(load: (cursor: string | undefined) => Promise<Page<Row>>, from: string | undefined) {
  const rows: Row[] = [];
  let next = from;
  for (let page = 0; page < PAGES_AT_ONCE; page++) {
    const part = await load(next);
    rows.push(...part.rows);
    next = part.next === null || part.next === undefined ? undefined : String(part.next);
    if (rows.length > 0 || next === undefined) break;
  }
  return { rows, next };
}
