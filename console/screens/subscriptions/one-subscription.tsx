import { call } from "../../api/client.ts";
import { Tabs } from "../../parts/tabs.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { useOpened } from "../../parts/use-opened.ts";
import { link, route } from "../../route.ts";
import { tenant } from "../../session.ts";
import type { WholeSubscription } from "../../types.ts";
import { Actions } from "./actions.tsx";
import { Attempts } from "./attempts.tsx";
import { Deliveries } from "./deliveries.tsx";
import { Failures } from "./failures.tsx";
import { Ledger } from "./ledger.tsx";
import { Settings } from "./settings.tsx";
import { standingOf, TONE_CLASSES } from "./standing.ts";

const VIEWS = [
  { name: "attempts", title: "Attempts" },
  { name: "failures", title: "Failed, by cause" },
  { name: "deliveries", title: "Deliveries" },
  { name: "settings", title: "Settings" },
] as const;

/** One subscription: its ledger, its attempts, and what was not delivered. */
export function OneSubscription({ id }: { id: string }) {
  useOpened();
  const path = `subscriptions/${encodeURIComponent(id)}`;
  const {
    data: answer,
    problem,
    reload,
  } = useLoad(`${tenant.value} ${id}`, async (signal) => {
    return await call<WholeSubscription>("GET", path, { signal });
  });
  const data = answer?.body;
  const view = VIEWS.find(({ name }) => name === route.value.path[1])?.name ?? "attempts";
  const standing = data === undefined ? undefined : standingOf(data, new Date().toISOString());
  return (
    <>
      <header class="head">
        <h1>
          <a href={link("subscriptions")}>Subscriptions</a> <span class="quiet">/</span>{" "}
          <Text value={data?.name ?? id} max={120} />{" "}
          {standing !== undefined && <span class={`badge ${TONE_CLASSES[standing.tone]}`}>{standing.label}</span>}
        </h1>
        {data !== undefined && <Actions path={path} subscription={data} onChanged={reload} />}
      </header>
      {problem !== undefined && <Failed problem={problem} onRetry={reload} />}
      {answer === undefined || data === undefined ? (
        problem === undefined && <Loading what="Loading the subscription" lines={6} />
      ) : (
        <>
          {standing !== undefined && standing.advice !== "" && (
            <p class={`note ${TONE_CLASSES[standing.tone]}`}>{standing.advice}</p>
          )}
          <Ledger ledger={data.ledger} />
          <Tabs label="Views" tabs={VIEWS} current={view} href={(name) => link("subscriptions", {}, [id, name])} />
          {view === "attempts" && <Attempts path={path} />}
          {view === "failures" && <Failures path={path} id={id} onStarted={reload} />}
          {view === "deliveries" && <Deliveries path={path} />}
          {view === "settings" && <Settings subscription={data} text={answer.text} onChanged={reload} />}
        </>
      )}
    </>
  );
}
