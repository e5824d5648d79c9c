import { computed, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** After so long without a key, click or scroll nobody is assumed to look. */
const IDLE_AFTER_MS = 10 * 60_000;

const isVisible = signal(true);
const isIdle = signal(false);

/** True while somebody looks at the page: the tab is visible and was used lately. Nothing may be polled otherwise. */
export const isAwake = computed(() => isVisible.value && !isIdle.value);

/** True where polling has stopped because the page was not used. */
export const sleepsIdle = computed(() => isIdle.value);

/** Follows the use of the page, from now on. */
export function followActivity(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const used = () => {
    isIdle.value = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      isIdle.value = true;
    }, IDLE_AFTER_MS);
  };
  const seen = () => {
    isVisible.value = document.visibilityState === "visible";
    if (isVisible.value) used();
  };
  for (const type of ["keydown", "pointerdown", "wheel", "touchstart"]) addEventListener(type, used, { passive: true });
  document.addEventListener("visibilitychange", seen);
  seen();
}

/** Calls `poll` each `everyMs` while the page is awake, and at once when it wakes up. */
export function usePoll(everyMs: number, poll: () => void): void {
  const awake = isAwake.value;
  const latest = useRef(poll);
  latest.current = poll;
  const slept = useRef(false);
  useEffect(() => {
    if (awake && slept.current) latest.current();
    slept.current = !awake;
    if (!awake) return;
    const timer = setInterval(() => latest.current(), everyMs);
    return () => clearInterval(timer);
  }, [awake, everyMs]);
}
