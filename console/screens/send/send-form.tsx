import type { EventFault } from "../../types.ts";
import type { Path } from "./draft.ts";
import { FieldInput } from "./field-input.tsx";
import { type Field, fieldOf, type Schema } from "./form.ts";
import { textOf } from "./input-value.ts";

type Props = {
  types: readonly string[];
  draft: Record<string, unknown>;
  /** Of the type's data; undefined where the catalog does not have the type. */
  schema: Schema | undefined;
  onChange: (path: Path, value: unknown) => void;
  faults: readonly EventFault[];
};

/** The attributes of the event, and the fields of its data. */
export function SendForm({ types, draft, schema, onChange, faults }: Props) {
  const attributes = ATTRIBUTES.map(({ name, hint, required }) => attributeField(name, hint, required));
  const type = textOf(draft["type"]);
  return (
    <div class="beside">
      <section class="card stack" aria-labelledby="attributes">
        <h2 id="attributes">Attributes</h2>
        <div class="field">
          <label for="catalog">Type of the catalog</label>
          <select
            id="catalog"
            value={types.includes(type) ? type : ""}
            onChange={({ currentTarget: { value } }) => onChange(["type"], value)}
          >
            {types.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
            <option value="">another one</option>
          </select>
        </div>
        {attributes.map((field) => (
          <FieldInput key={field.pointer} field={field} draft={draft} onChange={onChange} faults={faults} />
        ))}
        <button type="button" class="small" onClick={() => onChange(["id"], crypto.randomUUID())}>
          New id
        </button>
      </section>
      <section class="card stack" aria-labelledby="data">
        <h2 id="data">Data</h2>
        {schema === undefined && (
          <p class="quiet">
            The catalog has no schema for this type: any JSON is accepted, unless the stage refuses unknown types.
          </p>
        )}
        <FieldInput
          key={type}
          field={fieldOf(schema ?? {}, draft, ["data"])}
          draft={draft}
          onChange={onChange}
          faults={faults}
        />
      </section>
    </div>
  );
}

const ATTRIBUTES = [
  { name: "type", hint: "", required: true },
  { name: "source", hint: "who sends it, such as /shop", required: true },
  { name: "id", hint: "the same id of a source is stored once", required: false },
  { name: "subject", hint: "", required: false },
  { name: "time", hint: "RFC 3339; now where it is empty", required: false },
] as const;

function attributeField(name: string, hint: string, required: boolean): Field {
  return {
    kind: "text",
    path: [name],
    pointer: `/${name}`,
    label: name,
    required,
    hint,
    choices: [],
    fields: [],
    items: {},
  };
}
