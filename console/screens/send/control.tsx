import { useState } from "preact/hooks";
import { parseVerbatim } from "../../../functions/core/lossless-json.ts";
import type { Field } from "./form.ts";
import { numberOf, textOf } from "./input-value.ts";

type ControlProps = { field: Field; value: unknown; common: object; set: (value: unknown) => void };

/** The control of one value: a choice, a text, a number, or JSON. */
export function Control({ field, value, common, set }: ControlProps) {
  if (field.kind === "choice" || field.kind === "boolean") {
    const choices = field.kind === "boolean" ? [true, false] : field.choices;
    const index = choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value));
    return (
      <select
        {...common}
        value={String(index)}
        onChange={({ currentTarget }) => set(choices[Number(currentTarget.value)])}
      >
        {(index === -1 || !field.required) && (
          <option value="-1">{index === -1 && value !== undefined ? textOf(value) : "–"}</option>
        )}
        {choices.map((choice, at) => (
          <option key={at} value={String(at)}>
            {textOf(choice)}
          </option>
        ))}
      </select>
    );
  }
  if (field.kind === "json") return <JsonControl value={value} common={common} set={set} />;
  const isNumber = field.kind === "number";
  return (
    <input
      {...common}
      autocomplete="off"
      spellcheck={false}
      inputMode={isNumber ? "decimal" : "text"}
      value={textOf(value)}
      onInput={({ currentTarget: { value: text } }) =>
        set(isNumber ? numberOf(text) : text === "" && !field.required ? undefined : text)
      }
    />
  );
}

/** A value that only JSON can write. Text that is no JSON keeps the form from being sent. */
function JsonControl({ value, common, set }: Omit<ControlProps, "field">) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, undefined, 2));
  return (
    <textarea
      {...common}
      rows={3}
      spellcheck={false}
      placeholder="JSON"
      value={text}
      onInput={({ currentTarget }) => {
        setText(currentTarget.value);
        try {
          set(currentTarget.value.trim() === "" ? undefined : parseVerbatim(currentTarget.value));
          currentTarget.setCustomValidity("");
        } catch {
          currentTarget.setCustomValidity("This is not JSON yet.");
        }
      }}
    />
  );
}
