import { useEffect } from "preact/hooks";

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
