import { useState } from "preact/hooks";
import { percent, plural } from "../../parts/format.ts";
import { Text } from "../../parts/text.tsx";
import { compareFields, type Field } from "./drift.ts";
import type { Sample, Version } from "./load-type.ts";

/** The versions in use, and the fields of one of them beside its schema. */
export function Fields({ sample: { versions, events, unused } }: { sample: Sample }) {
  const [chosen, setChosen] = useState(0);
  const version = versions[chosen] ?? versions[0];
  return (
    <>
      <section>
        <h3>Versions in use</h3>
        <ul class="versions">
          {versions.map(({ dataschema, events: used, declared, seen }, index) => (
            <li key={dataschema}>
              <label class="check">
                <input type="radio" name="version" checked={index === chosen} onChange={() => setChosen(index)} />
                <Text value={dataschema === "" ? "without dataschema" : dataschema} max={120} />
              </label>
              <span class="quiet number">{percent(used / events)}</span>
              {declared === undefined && <span class="badge warn">not in the catalog</span>}
              <Drifting fields={compareFields(seen, declared)} />
            </li>
          ))}
          {unused.map((dataschema) => (
            <li key={dataschema} class="quiet">
              <Text value={dataschema} max={120} /> <span class="badge">not used</span>
            </li>
          ))}
        </ul>
      </section>
      {version !== undefined && <Compared version={version} />}
    </>
  );
}

/** The number of fields that drift, beside the name of the version, so that nobody has to look at each. */
function Drifting({ fields }: { fields: readonly Field[] }) {
  const number = driftingOf(fields);
  return number === 0 ? null : <span class="badge warn">{plural(number, "field drifts", "fields drift")}</span>;
}

function driftingOf(fields: readonly Field[]): number {
  return fields.filter(({ drift }) => drift === "undeclared" || drift === "other-kind").length;
}

function Compared({ version: { seen, declared, events } }: { version: Version }) {
  const fields = compareFields(seen, declared);
  const drifting = driftingOf(fields);
  return (
    <section>
      <h3>Fields of data</h3>
      <p class="quiet">
        In the latest {plural(events, "event")} of this version.{" "}
        {declared === undefined ? (
          "The catalog has no schema to compare them with."
        ) : drifting === 0 ? (
          <span class="good">They are what the schema declares.</span>
        ) : (
          <span class="warn">{plural(drifting, "field differs", "fields differ")} from the schema.</span>
        )}
      </p>
      <table class="fields">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Kind</th>
            <th scope="col" class="end">
              Present
            </th>
            {declared !== undefined && <th scope="col">Schema</th>}
          </tr>
        </thead>
        <tbody>
          {fields.slice(0, MAX_FIELDS).map((field) => (
            <tr key={field.path}>
              <th scope="row">
                <code>
                  <Text value={field.path} max={120} />
                </code>
              </th>
              <td>{field.kinds.join(", ")}</td>
              <td class="end number">{field.events === 0 ? "–" : percent(field.events / events)}</td>
              {declared !== undefined && (
                <td>
                  <Drift field={field} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {fields.length > MAX_FIELDS && (
        <p class="quiet">{plural(fields.length - MAX_FIELDS, "more field")} of this type are not listed.</p>
      )}
    </section>
  );
}

const MAX_FIELDS = 500;

function Drift({ field: { drift, isRequired } }: { field: Field }) {
  switch (drift) {
    case "undeclared":
      return <span class="badge warn">not declared</span>;
    case "other-kind":
      return <span class="badge bad">other kind</span>;
    case "unseen":
      return <span class={isRequired ? "badge bad" : "badge"}>{isRequired ? "required, not seen" : "not seen"}</span>;
    case "none":
      return <span class="quiet">{isRequired ? "required" : "declared"}</span>;
  }
}
