import { useState } from "preact/hooks";
import { count, plural } from "./format.ts";
import { type JsonPart, kindOf, partsOf, stringOf } from "./json-parts.ts";
import { Text } from "./text.tsx";

/** A value in the tree: the keys that lead to it, the index of an array among them, and its text. */
export type Leaf = { path: readonly string[]; text: string; throughArrays: readonly boolean[] };

type Props = {
  /** Valid JSON; shown with every digit and character. */
  text: string;
  /** Levels that are open at first. */
  open?: number;
  /** Buttons behind a value. */
  actions?: ((leaf: Leaf) => preact.ComponentChildren) | undefined;
};

/** Parts of an object or array that are shown at first, and by each click on more. */
const PAGE = 100;

/** JSON as a tree of which the parts are read when they are opened. */
export function JsonTree({ text, open = 2, actions }: Props) {
  const trimmed = text.trim();
  return (
    <div class="json">
      <Value leaf={{ path: [], text: trimmed, throughArrays: [] }} open={open} actions={actions} />
    </div>
  );
}

type ValueProps = { leaf: Leaf; label?: string; open: number; actions: Props["actions"] };

function Value({ leaf, label, open, actions }: ValueProps) {
  const kind = kindOf(leaf.text);
  if (kind === "object" || kind === "array")
    return <Branch leaf={leaf} label={label ?? ""} open={open} actions={actions} />;
  return (
    <span class="leaf">
      {label !== undefined && <Key name={label} />}
      <span class={`value ${kind}`}>
        {kind === "string" ? (
          <>
            "<Text value={stringOf(leaf.text)} expandable />"
          </>
        ) : (
          <Text value={leaf.text} expandable />
        )}
      </span>
      {actions !== undefined && <span class="actions">{actions(leaf)}</span>}
    </span>
  );
}

function Branch({ leaf, label, open, actions }: Required<Omit<ValueProps, "actions">> & Pick<ValueProps, "actions">) {
  const [isOpen, setOpen] = useState(open > 0);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label !== "" && <Key name={label} />}
        <Size text={leaf.text} />
      </summary>
      {isOpen && <Parts leaf={leaf} open={open - 1} actions={actions} />}
    </details>
  );
}

function Parts({ leaf, open, actions }: Omit<ValueProps, "label">) {
  const [shown, setShown] = useState(PAGE);
  const isArray = leaf.text.startsWith("[");
  const parts = partsOf(leaf.text);
  const toLeaf = ({ key, text }: JsonPart): Leaf => ({
    path: [...leaf.path, key],
    text,
    throughArrays: [...leaf.throughArrays, isArray],
  });
  return (
    <ul>
      {parts.slice(0, shown).map((part, index) => (
        <li key={index}>
          <Value leaf={toLeaf(part)} label={part.key} open={open} actions={actions} />
        </li>
      ))}
      {parts.length > shown && (
        <li>
          <button type="button" class="inline" onClick={() => setShown(shown + PAGE)}>
            show {count(Math.min(PAGE, parts.length - shown))} more of {count(parts.length)}
          </button>
        </li>
      )}
    </ul>
  );
}

function Key({ name }: { name: string }) {
  return (
    <>
      <span class="key">
        <Text value={name} max={200} />
      </span>
      {": "}
    </>
  );
}

/** The size of an object or array. Large ones are not counted for it. */
function Size({ text }: { text: string }) {
  const isArray = text.startsWith("[");
  const size =
    text.length > 20_000
      ? `${count(text.length)} characters`
      : plural(partsOf(text).length, isArray ? "element" : "member");
  return (
    <span class="quiet">
      {isArray ? "[…]" : "{…}"} {size}
    </span>
  );
}
