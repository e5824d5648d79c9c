import { useEffect, useId, useRef, useState } from "preact/hooks";
import { call } from "../api/client.ts";
import {
  ATTRIBUTES,
  type Condition,
  faultOf,
  type Operator,
  OPERATORS,
  operatorsOf,
  toCondition,
} from "./filter-params.ts";
import { knownPaths } from "./known-paths.ts";
import { useLoad } from "./use-load.ts";

type Props = {
  /** The conditions that the filter has. */
  conditions: readonly Condition[];
  onAdd: (condition: Condition) => void;
  onCancel: () => void;
};

/** Asks for a field, an operator and a value, and says at once where they make no condition. */
export function AddCondition({ conditions, onAdd, onCancel }: Props) {
  const [field, setField] = useState("type");
  const [operator, setOperator] = useState<Operator>("eq");
  const [value, setValue] = useState("");
  const [list, types] = [useId(), useId()];
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.select(), []);
  const isType = field.trim() === "type";
  const operators = operatorsOf(field.trim());
  const used = operators.includes(operator) ? operator : "eq";
  const condition = toCondition(field, used, value);
  const isTyped = field.trim() !== "" && (value !== "" || used === "exists");
  const fault = isTyped ? faultOf([...conditions, condition]) : undefined;
  return (
    <form
      class="popover row"
      onKeyDown={({ key }) => {
        if (key === "Escape") onCancel();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isTyped || fault !== undefined) return;
        onAdd(condition);
      }}
    >
      <label>
        Field
        <input
          ref={first}
          list={list}
          value={field}
          spellcheck={false}
          onInput={(event) => setField(event.currentTarget.value)}
        />
        <datalist id={list}>
          {[...ATTRIBUTES, ...knownPaths.value].map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </label>
      <label>
        Condition
        <select value={used} onChange={(event) => setOperator(event.currentTarget.value as Operator)}>
          {operators.map((each) => (
            <option key={each} value={each}>
              {OPERATORS[each]}
            </option>
          ))}
        </select>
      </label>
      <label class="grow">
        Value
        {used === "exists" ? (
          <select value={value} onChange={(event) => setValue(event.currentTarget.value)}>
            <option value="true">true</option>
            <option value="false">false</option>
          </select>
        ) : (
          <input
            value={value}
            spellcheck={false}
            placeholder={placeholder(used)}
            list={isType ? types : undefined}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        )}
      </label>
      {isType && <TypeNames id={types} />}
      <button type="submit" class="primary" disabled={!isTyped || fault !== undefined}>
        Add
      </button>
      {fault !== undefined && (
        <p class="bad" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}

type Catalog = { types: readonly { type: string }[] };

/** The types of the catalog; events may have others. */
function TypeNames({ id }: { id: string }) {
  const { data } = useLoad("types", async (signal) => {
    const { body } = await call<Catalog>("GET", "schemas", { signal, record: false, tenant: null });
    return body.types.map(({ type }) => type);
  });
  return (
    <datalist id={id}>
      {data?.map((type) => (
        <option key={type} value={type} />
      ))}
    </datalist>
  );
}

function placeholder(operator: Operator): string {
  return operator === "in" ? "a,b,c" : 'text, 5, true, or "5" for the text';
}
