import { useMemo, useState } from "preact/hooks";
import { memberText } from "../../../functions/core/json-spans.ts";
import { call } from "../../api/client.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { learnPaths } from "../../parts/known-paths.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { navigate, route } from "../../route.ts";
import { can } from "../../session.ts";
import { CheckVersion } from "./check-version.tsx";
import { attributesOf, EventSummary } from "./event-summary.tsx";
import { LeafActions } from "./leaf-actions.tsx";
import { Neighbours } from "./neighbours.tsx";
import type { Row } from "./query.ts";
import { RawText } from "./raw-text.tsx";

const TABS = ["Tree", "Raw", "Neighbours", "Validate"] as const;

type Props = { id: string; source: string | undefined; before: Row | undefined; after: Row | undefined };

/** One event whole, at the side of the list. */
export function EventDrawer({ id, source, before, after }: Props) {
  const { data, problem, reload } = useLoad(`${id}\n${source}`, async (signal) => {
    const { text } = await call("GET", `events/${encodeURIComponent(id)}`, { query: { source }, signal });
    learnPaths(memberText(text, "data") ?? "null");
    return text;
  });
  const close = () => navigate("events", route.value.params);
  return (
    <Dialog
      kind="drawer"
      title={<Text value={id} max={80} />}
      onClose={close}
      tools={
        <>
          {data !== undefined && <CopyButton text={data} label="Copy event" />}
          <Step to={before} label="Previous event of the list" sign="↑" />
          <Step to={after} label="Next event of the list" sign="↓" />
        </>
      }
    >
      {problem !== undefined && <Failed problem={problem} onRetry={reload} />}
      {data === undefined && problem === undefined && <Loading what="Loading the event" lines={10} />}
      {data !== undefined && <Whole key={data} text={data} onClose={close} />}
    </Dialog>
  );
}

function Step({ to, label, sign }: { to: Row | undefined; label: string; sign: string }) {
  return (
    <button
      type="button"
      class="small"
      aria-label={label}
      disabled={to === undefined}
      onClick={() => {
        if (to !== undefined) navigate("events", route.value.params, { path: [to.id, to.source], replace: true });
      }}
    >
      {sign}
    </button>
  );
}

function Whole({ text, onClose }: { text: string; onClose: () => void }) {
  const [tab, setTab] = useState<(typeof TABS)[number]>("Tree");
  const attributes = useMemo(() => attributesOf(text), [text]);
  return (
    <div class="stack">
      <EventSummary attributes={attributes} size={new TextEncoder().encode(text).length} />
      <div class="segments" role="group" aria-label="Views of the event">
        {TABS.filter((each) => each !== "Validate" || can("events:write")).map((each) => (
          <button key={each} type="button" id={`tab-${each}`} aria-pressed={each === tab} onClick={() => setTab(each)}>
            {each}
          </button>
        ))}
      </div>
      <div>
        {tab === "Tree" && (
          <JsonTree text={text} open={3} actions={(leaf) => <LeafActions leaf={leaf} onUsed={onClose} />} />
        )}
        {tab === "Raw" && <RawText text={text} />}
        {tab === "Validate" && (
          <CheckVersion text={text} type={attributes["type"] ?? ""} dataschema={attributes["dataschema"]} />
        )}
        {tab === "Neighbours" && <Neighbours attributes={attributes} />}
      </div>
    </div>
  );
}
