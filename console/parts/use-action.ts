import { useEffect, useRef, useState } from "preact/hooks";
import { isAborted } from "../api/client.ts";
import { type Problem, toProblem } from "../api/problem.ts";

export type Action<Args extends unknown[]> = {
  run: (...args: Args) => void;
  isRunning: boolean;
  /** Why the last run failed; undefined as soon as it runs again. */
  problem: Problem | undefined;
  /** Drops the problem. */
  forget: () => void;
};

/** Something that a user starts and that may fail; it runs once at a time. */
export function useAction<Args extends unknown[]>(act: (...args: Args) => Promise<void>): Action<Args> {
  const [state, setState] = useState<{ isRunning: boolean; problem?: Problem }>({ isRunning: false });
  const isBusy = useRef(false);
  const isShown = useRef(true);
  useEffect(
    () => () => {
      isShown.current = false;
    },
    [],
  );
  const settle = (problem?: Problem) => {
    isBusy.current = false;
    if (isShown.current) setState(problem === undefined ? { isRunning: false } : { isRunning: false, problem });
  };
  const run = (...args: Args) => {
    if (isBusy.current) return;
    isBusy.current = true;
    setState({ isRunning: true });
    act(...args).then(
      () => settle(),
      (error: unknown) => settle(isAborted(error) ? undefined : toProblem(error)),
    );
  };
  return { run, isRunning: state.isRunning, problem: state.problem, forget: () => settle() };
}
