import { useId, useRef } from "preact/hooks";
import type { EventFault } from "../../types.ts";
import { Control } from "./control.tsx";
import { type Path, valueAt } from "./draft.ts";
import { exampleOf, type Field } from "./form.ts";

type Props = {
  field: Field;
  draft: unknown;
  /** Sets the value at a path; undefined takes it out. */
  onChange: (path: Path, value: unknown) => void;
  faults: readonly EventFault[];
};

/** The input of a field, or those of a group or list; an error stands at the field of its place. */
export function FieldInput(props: Props) {
  const { field } = props;
  if (field.kind === "group") return <Group {...props} />;
  if (field.kind === "list") return <List {...props} />;
  return <Leaf {...props} />;
}

function Group(props: Props) {
  const { field } = props;
  return (
    <fieldset class="fields">
      <legend>{field.label}</legend>
      <Faults {...props} />
      {field.fields.map((each) => (
        <FieldInput key={each.pointer} {...props} field={each} />
      ))}
    </fieldset>
  );
}

function List(props: Props) {
  const { field, draft, onChange } = props;
  const add = useRef<HTMLButtonElement>(null);
  const length = field.fields.length;
  return (
    <fieldset class="fields">
      <legend>
        {field.label} <Optional field={field} />
      </legend>
      <Faults {...props} />
      {field.fields.map((each, index) => (
        <div key={each.pointer} class="element">
          <FieldInput {...props} field={each} />
          <button
            type="button"
            class="small"
            aria-label={`Remove ${field.label} ${index + 1}`}
            onClick={() => {
              onChange(each.path, undefined);
              add.current?.focus();
            }}
          >
            Remove
          </button>
        </div>
      ))}
      <button
        ref={add}
        type="button"
        class="small"
        onClick={() => {
          const list = valueAt(draft, field.path);
          onChange(field.path, [
            ...(Array.isArray(list) ? (list as unknown[]) : []),
            exampleOf(field.items, new Date()),
          ]);
        }}
      >
        Add {field.label} {length + 1}
      </button>
    </fieldset>
  );
}

function Leaf(props: Props) {
  const { field, draft, onChange, faults } = props;
  const id = useId();
  const value = valueAt(draft, field.path);
  const own = faults.filter(({ path }) => path === field.pointer);
  const common = {
    id,
    name: field.pointer,
    "aria-invalid": own.length > 0,
    "aria-describedby": `${id}-hint ${id}-fault`,
    required: false,
  };
  const set = (next: unknown) => onChange(field.path, next);
  return (
    <div class="field">
      <label for={id} class="line">
        {field.label} <Optional field={field} />
      </label>
      <Control field={field} value={value} common={common} set={set} />
      {field.hint !== "" && (
        <span id={`${id}-hint`} class="quiet hint">
          {field.hint}
        </span>
      )}
      <Faults {...props} id={`${id}-fault`} />
    </div>
  );
}

function Optional({ field }: { field: Field }) {
  return field.required ? null : <span class="quiet">(optional)</span>;
}

function Faults({ field, faults, id }: Pick<Props, "field" | "faults"> & { id?: string }) {
  const own = faults.filter(({ path }) => path === field.pointer);
  return (
    <span id={id} class="bad">
      {own.map(({ code, message }) => (
        <span key={code} class="fault">
          <code>{field.pointer}</code> {message}
        </span>
      ))}
    </span>
  );
}
