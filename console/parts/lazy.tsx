import type { ComponentType } from "preact";
import { Problem } from "../api/problem.ts";
import { Failed, Loading } from "./states.tsx";
import { useLoad } from "./use-load.ts";

/** A component whose script is loaded when it is first shown. Its file is no longer there after the page has changed. */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
  let loaded: ComponentType | undefined;
  const loadOnce = async () => {
    loaded ??= await load().catch(() => {
      throw new Problem(0, {
        code: "page_outdated",
        title: "A part of this page cannot be loaded",
        detail: "The page has changed since it was opened, or the connection broke. Load the page again.",
      });
    });
    return { View: loaded };
  };
  return function Lazy() {
    const { data, problem } = useLoad("script", loadOnce);
    const View = loaded ?? data?.View;
    if (View !== undefined) return <View />;
    return problem === undefined ? (
      <Loading lines={6} />
    ) : (
      <Failed problem={problem} onRetry={() => location.reload()} />
    );
  };
}
