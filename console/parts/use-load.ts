import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAborted } from "../api/client.ts";
import { type Problem, toProblem } from "../api/problem.ts";

export type Load<T> = {
  /** The last data, kept while they are loaded again and where that fails. */
  data: T | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  reload: () => void;
};

/**
 * Loads data when `key` changes, and when `reload` is called. A load that nobody waits for any more is aborted; data of
 * another key are dropped, with `keep` only when the new ones have come or failed. `isReload` is true where there are data of
 * the same key.
 */
export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal, isReload: boolean) => Promise<T>,
  { keep = false } = {},
): Load<T> {
  const [state, setState] = useState<{ key: string; data?: T | undefined; problem?: Problem; isLoading: boolean }>({
    key,
    isLoading: true,
  });
  const running = useRef<AbortController | undefined>(undefined);
  const loaded = useRef<string | undefined>(undefined);
  const latest = useRef(load);
  latest.current = load;

  const start = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((before) => ({
      key,
      data: keep || before.key === key ? before.data : undefined,
      isLoading: true,
    }));
    void finish(latest.current(controller.signal, loaded.current === key));

    async function finish(loading: Promise<T>): Promise<void> {
      try {
        const data = await loading;
        if (controller.signal.aborted) return;
        loaded.current = key;
        setState({ key, data, isLoading: false });
      } catch (error) {
        if (controller.signal.aborted || isAborted(error)) return;
        const isOfKey = loaded.current === key;
        if (!isOfKey) loaded.current = undefined;
        setState(({ data }) => ({
          key,
          data: isOfKey ? data : undefined,
          problem: toProblem(error),
          isLoading: false,
        }));
      }
    }
  }, [key, keep]);

  useEffect(() => {
    start();
    return () => running.current?.abort();
  }, [start]);

  const isOther = state.key !== key;
  return {
    data: isOther && !keep ? undefined : state.data,
    problem: isOther ? undefined : state.problem,
    isLoading: isOther || state.isLoading,
    reload: start,
  };
}
