import { useRef, useState } from "preact/hooks";
import { route, setParams, navigate } from "../route.ts";
import { AddCondition } from "./add-condition.tsx";
import { type Condition, conditionsOf, describe, OPERATORS } from "./filter-params.ts";
import { Text } from "./text.tsx";

/** The filter of a screen: a chip for each condition, and a line that adds one. It stands in the address. */
export function FilterChips() {
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
      {isOpen && (
        <AddCondition
          conditions={conditions}
          onAdd={(condition) => {
            setConditions([...conditions, condition]);
            close();
          }}
          onCancel={close}
        />
      )}
    </div>
  );
}

/** Puts the conditions of the screen in the place of those that it has. */
function setConditions(conditions: readonly Condition[]): void {
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
