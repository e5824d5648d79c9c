import { Tabs } from "../../parts/tabs.tsx";
import { link, route } from "../../route.ts";

const STATES = [
  { name: "open", title: "Open" },
  { name: "replayed", title: "Replayed" },
  { name: "discarded", title: "Discarded" },
] as const;

/** The state of the dead letters that are shown. */
export function StateTabs() {
  const { params } = route.value;
  const current = STATES.find(({ name }) => name === params.get("state"))?.name ?? "open";
  const hrefOf = (name: string) => {
    const next = new URLSearchParams(params);
    next.set("state", name);
    return link("dead-letters", next);
  };
  return <Tabs label="State" tabs={STATES} current={current} href={hrefOf} />;
}

export const isOpenState = (params: URLSearchParams): boolean => (params.get("state") ?? "open") === "open";
