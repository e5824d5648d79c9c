import { ChooseTenant, Forbidden } from "../parts/states.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { link, route } from "../route.ts";
import { access, can } from "../session.ts";
import { ExportJobs } from "./jobs/export-jobs.tsx";
import { OneJob } from "./jobs/one-job.tsx";
import { RedeliveryJobs } from "./jobs/redelivery-jobs.tsx";
import { ReplayJobs } from "./jobs/replay-jobs.tsx";
import { RestoreJobs } from "./jobs/restore-jobs.tsx";

const KINDS = [
  { name: "replays", title: "Replays and discards", scope: "dead-letters:read", view: ReplayJobs },
  { name: "exports", title: "Exports", scope: "events:read", view: ExportJobs },
  { name: "redeliveries", title: "Redeliveries", scope: "subscriptions", view: RedeliveryJobs },
  { name: "restores", title: "Restores", scope: "admin", view: RestoreJobs },
] as const;

/** Work that goes on without its caller: how far it is, and what became of it. Each kind has a scope of its own. */
export function Jobs() {
  const [name, ...ids] = route.value.path;
  const kind = KINDS.find((each) => each.name === name) ?? KINDS.find(({ scope }) => can(scope)) ?? KINDS[0];
  const may = access(kind.scope);
  if (may === "allowed" && ids.length > 0) return <OneJob kind={kind.name} title={kind.title} ids={ids} />;
  const View = kind.view;
  return (
    <>
      <header class="head">
        <h1>Jobs</h1>
      </header>
      <Tabs label="Kinds of jobs" tabs={KINDS} current={kind.name} href={(each) => link("jobs", {}, [each])} />
      {may === "allowed" && <View />}
      {may === "forbidden" && <Forbidden scope={kind.scope} />}
      {may === "choose-tenant" && <ChooseTenant />}
    </>
  );
}
