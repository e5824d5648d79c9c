import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { FaultList } from "../../parts/fault-list.tsx";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { useLoad } from "../../parts/use-load.ts";
import { judge } from "../send/ask.ts";
import { asVersion } from "./as-version.ts";

type Catalog = { types: readonly { type: string; versions: readonly { dataschema?: string }[] }[] };

/** Validates a stored event against a version of its type, as ingest would today. Nothing is sent. */
export function CheckVersion({
  text,
  type,
  dataschema,
}: {
  text: string;
  type: string;
  dataschema: string | undefined;
}) {
  const { data, problem, reload } = useLoad(`versions ${type}`, async (signal) => {
    const { body } = await call<Catalog>("GET", "schemas", { signal, record: false, tenant: null });
    return body.types.find((each) => each.type === type)?.versions.map((version) => version.dataschema) ?? [];
  });
  const [chosen, setChosen] = useState(dataschema);
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (data === undefined) return <Loading what="Loading the versions" lines={2} />;
  if (data.length === 0) return <Empty title="The catalog has no schema for this type" />;
  const version = data.includes(chosen) ? chosen : data[0];
  return (
    <div class="stack">
      <label>
        Version
        <select value={data.indexOf(version)} onChange={(event) => setChosen(data[event.currentTarget.selectedIndex])}>
          {data.map((each, index) => (
            <option key={each} value={index}>
              {each ?? "without dataschema"}
            </option>
          ))}
        </select>
      </label>
      <Verdict key={version} event={asVersion(text, version)} />
    </div>
  );
}

function Verdict({ event }: { event: string }) {
  const { data, problem, reload } = useLoad("verdict", () => judge(event, true));
  if (problem !== undefined) return <Failed problem={problem} onRetry={reload} />;
  if (data === undefined) return <Loading what="Validating" lines={1} />;
  if (data.errors.length > 0) return <FaultList faults={data.errors} title="The event is not valid in this version" />;
  return (
    <p class="note" role="status">
      <span class="good">The event is valid in this version.</span>{" "}
      {data.verdict?.status !== "accepted" && <Text value={`Verdict: ${data.verdict?.status ?? "none"}`} />}
    </p>
  );
}
