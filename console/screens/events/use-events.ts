import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { call, isAborted } from "../../api/client.ts";
import { type Problem, toProblem } from "../../api/problem.ts";
import type { Range } from "../../parts/range.ts";
import { columnsOf, listQuery, type Row, rowsOf } from "./query.ts";

type Page = { next: string | null; complete: boolean; plan: "index" | "scan"; scanned: { rows: number } };

export type EventList = {
  rows: readonly Row[];
  /** Events that were looked at for all pages. */
  scanned: number;
  plan: Page["plan"] | undefined;
  /** False where the time of the last page was over before it was full. */
  complete: boolean;
  /** True where there may be more. */
  hasMore: boolean;
  isLoading: boolean;
  problem: Problem | undefined;
  more: () => void;
};

type State = Omit<EventList, "hasMore" | "more"> & { next: string | null };

const NONE: State = {
  rows: [],
  scanned: 0,
  plan: undefined,
  complete: true,
  isLoading: true,
  problem: undefined,
  next: null,
};

/** Lists events in pages: the first one when the parameters change, and another one by `more`. */
export function useEvents(key: string, params: URLSearchParams, range: Range): EventList {
  const [state, setState] = useState<State>(NONE);
  const running = useRef<AbortController | undefined>(undefined);

  const load = useCallback(
    async (before: State) => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      setState({ ...before, isLoading: true, problem: undefined });
      try {
        const query = listQuery(params, range, before.next ?? undefined);
        const { text, body } = await call<Page>("GET", "events", { query, signal: controller.signal });
        setState({
          rows: [...before.rows, ...rowsOf(text, columnsOf(params))],
          scanned: before.scanned + body.scanned.rows,
          plan: body.plan,
          complete: body.complete,
          next: body.next,
          isLoading: false,
          problem: undefined,
        });
      } catch (error) {
        if (!controller.signal.aborted && !isAborted(error)) {
          setState({ ...before, isLoading: false, problem: toProblem(error) });
        }
      }
    },
    [key],
  );

  useEffect(() => {
    void load(NONE);
    return () => running.current?.abort();
  }, [load]);

  return { ...state, hasMore: state.next !== null, more: () => void load(state) };
}
