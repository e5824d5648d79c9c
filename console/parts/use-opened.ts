import { useEffect, useRef } from "preact/hooks";

/**
 * Begins a view at its top. The focus goes to the content where the link that had it is no longer there, so that the
 * keyboard goes on from here.
 */
export function useOpened(): void {
  useEffect(() => {
    const main = document.getElementById("main");
    main?.scrollTo(0, 0);
    if (document.activeElement === document.body) main?.focus();
  }, []);
}

/** Gives the focus back to the element that had it before, when a workflow of several dialogs has ended. */
export function useReturnFocus(): void {
  const before = useRef(document.activeElement);
  useEffect(
    () => () => {
      // By then the last dialog has left the page, and the rest of it can have the focus again.
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return;
        if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
        if (document.activeElement === document.body) document.getElementById("main")?.focus();
      });
    },
    [],
  );
}
