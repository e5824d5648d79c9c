import { useEffect, useId, useRef, useState } from "preact/hooks";
import { route, setParams, navigate } from "../route.ts";
import {
  ATTRIBUTES,
  type Condition,
  conditionsOf,
  describe,
  faultOf,
  type Operator,
  OPERATORS,
  operatorsOf,
  toCondition,
} from "./filter-params.ts";
import { Text } from "./text.tsx";

type Props = {
  /** Paths of data that the user may want to name: `data.total`. */
  suggestions?: readonly string[];
};

/** The filter of a screen: a chip for each condition, and a line that adds one. It stands in the address. */
export function FilterChips({ suggestions = [] }: Props) {
  const [isOpen, setOpen] = useState(false);
  const add = useRef<HTMLButtonElement>(null);
  const conditions = conditionsOf(route.value.params);
  const close = () => {
    setOpen(false);
    add.current?.focus();
  };
  return (
    <div class="filter" role="group" aria-label="Filter">
      {conditions.map((condition, index) => (
        <Chip
          key={condition.join("=")}
          condition={condition}
          isOr={conditions.findIndex(([name]) => name === condition[0]) < index}
          onRemove={() => {
            setConditions(conditions.filter((each) => each !== condition));
            add.current?.focus();
          }}
        />
      ))}
      <button ref={add} type="button" class="chip add" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        + Filter
      </button>
      {conditions.length > 1 && (
        <button type="button" class="plain" onClick={() => setConditions([])}>
          Clear
        </button>
      )}
      {isOpen && <AddCondition conditions={conditions} suggestions={suggestions} onDone={close} />}
    </div>
  );
}

/** Puts the conditions of the screen in the place of those that it has. */
export function setConditions(conditions: readonly Condition[]): void {
  const { screen, path, params } = route.value;
  const others = [...params].filter(([name]) => !conditionsOf(params).some(([each]) => each === name));
  navigate(screen, new URLSearchParams([...others, ...conditions].map(([name, value]) => [name, value])), { path });
}

/** Adds a condition, unless it is there. */
export function addCondition(condition: Condition): void {
  const { params } = route.value;
  if (params.getAll(condition[0]).includes(condition[1])) return;
  setParams({ [condition[0]]: [...params.getAll(condition[0]), condition[1]] });
}

function Chip({ condition, isOr, onRemove }: { condition: Condition; isOr: boolean; onRemove: () => void }) {
  const { field, operator, value } = describe(condition);
  const said = operator === "exists" && value === "false" ? "does not exist" : OPERATORS[operator];
  return (
    <span class="chip">
      {isOr && <span class="quiet">or</span>}
      <b>
        <Text value={field} max={60} />
      </b>
      <span class="quiet">{said}</span>
      {operator !== "exists" && <Text value={value} max={80} />}
      <button
        type="button"
        class="plain"
        aria-label={`Remove ${field} ${said} ${value.slice(0, 80)}`}
        onClick={onRemove}
      >
        ×
      </button>
    </span>
  );
}

type AddProps = { conditions: readonly Condition[]; suggestions: readonly string[]; onDone: () => void };

function AddCondition({ conditions, suggestions, onDone }: AddProps) {
  const [field, setField] = useState("type");
  const [operator, setOperator] = useState<Operator>("eq");
  const [value, setValue] = useState("");
  const list = useId();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.select(), []);
  const operators = operatorsOf(field.trim());
  const used = operators.includes(operator) ? operator : "eq";
  const condition = toCondition(field, used, value);
  const isTyped = field.trim() !== "" && (value !== "" || used === "exists");
  const fault = isTyped ? faultOf([...conditions, condition]) : undefined;
  return (
    <form
      class="popover row"
      onKeyDown={({ key }) => {
        if (key === "Escape") onDone();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isTyped || fault !== undefined) return;
        setConditions([...conditions, condition]);
        onDone();
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
          {[...ATTRIBUTES, ...suggestions].map((each) => (
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
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        )}
      </label>
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

function placeholder(operator: Operator): string {
  return operator === "in" ? "a,b,c" : 'text, 5, true, or "5" for the text';
}
