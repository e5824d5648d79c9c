import { useEffect, useState } from "preact/hooks";
import { route, setParams } from "../../route.ts";
import { dayRange, SPANS } from "./day-range.ts";

/** Chooses the days, and the code, type or place of refusals. */
export function Toolbar() {
  const { params } = route.value;
  const { days } = dayRange(params, Date.now());
  return (
    <div class="toolbar">
      <div class="segments" role="group" aria-label="Days">
        {SPANS.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === days}
            onClick={() => setParams({ days: String(each) })}
          >
            {each === 1 ? "Today (UTC)" : `${each} days`}
          </button>
        ))}
      </div>
      <Field name="code" label="Code" placeholder="required" />
      <Field name="type" label="Type" placeholder="com.example.*" />
      <Field name="pointer" label="Place" placeholder="/data/items/*/sku" />
    </div>
  );
}

/** A condition in the address, which applies when it is left or entered. */
function Field({ name, label, placeholder }: { name: string; label: string; placeholder: string }) {
  const current = route.value.params.get(name) ?? "";
  const [text, setText] = useState(current);
  useEffect(() => setText(current), [current]);
  const apply = () => text !== current && setParams({ [name]: text.trim() });
  return (
    <label class="inline-label">
      {label}
      <input
        name={name}
        value={text}
        placeholder={placeholder}
        spellcheck={false}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onBlur={apply}
        onKeyDown={({ key }) => key === "Enter" && apply()}
      />
    </label>
  );
}
