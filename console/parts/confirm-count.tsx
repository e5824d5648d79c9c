import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { count as format } from "./format.ts";
import { Dialog } from "./dialog.tsx";

type Props = {
  /** As `Discard dead letters`. */
  title: string;
  /** The number of things that the action changes, which has to be typed. */
  count: number;
  /** On the button, as `Discard`. */
  verb: string;
  /** Says what will happen, and what cannot be undone. */
  children: ComponentChildren;
  onConfirm: () => void;
  onCancel: () => void;
};

/** Asks for a destructive action by the number of what it changes, typed back. A wrong number does nothing. */
export function ConfirmCount({ title, count, verb, children, onConfirm, onCancel }: Props) {
  const [typed, setTyped] = useState("");
  const hint = useId();
  const isRight = matchesCount(typed, count);
  return (
    <Dialog title={title} onClose={onCancel}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isRight) onConfirm();
        }}
      >
        {children}
        <label>
          <span id={hint}>
            Type <b>{format(count)}</b> to confirm
          </span>
          <input
            inputMode="numeric"
            autocomplete="off"
            name="count"
            aria-describedby={hint}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={!isRight}>
            {verb} {format(count)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Tells whether a text is the number, with or without separators of thousands. */
export function matchesCount(typed: string, count: number): boolean {
  return typed.replaceAll(/[\s,.']/g, "") === String(count);
}
