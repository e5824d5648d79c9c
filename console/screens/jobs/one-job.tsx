import { useOpened } from "../../parts/use-opened.ts";
import { link } from "../../route.ts";
import { ExportProgress } from "./export-progress.tsx";
import { RedeliveryProgress } from "./redelivery-progress.tsx";
import { ReplayProgress } from "./replay-progress.tsx";
import { RestoreProgress } from "./restore-progress.tsx";

type Props = { kind: "replays" | "exports" | "redeliveries" | "restores"; title: string; ids: readonly string[] };

/** One job: its progress, what was asked for, and its receipt. */
export function OneJob({ kind, title, ids }: Props) {
  useOpened();
  const [first = "", second = ""] = ids;
  return (
    <>
      <header class="head">
        <h1>
          <a href={link("jobs", {}, [kind])}>{title}</a> <span class="quiet">/</span>{" "}
          <code>{second === "" ? first : second}</code>
        </h1>
      </header>
      <section class="card">
        {kind === "replays" && <ReplayProgress id={first} isScreen />}
        {kind === "exports" && <ExportProgress id={first} />}
        {kind === "restores" && <RestoreProgress id={first} />}
        {kind === "redeliveries" && <RedeliveryProgress subscriptionId={first} id={second} isScreen />}
      </section>
    </>
  );
}
