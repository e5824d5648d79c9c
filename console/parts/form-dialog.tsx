import type { ComponentChildren } from "preact";
import type { Problem } from "../api/problem.ts";
import { Dialog } from "./dialog.tsx";
import { Failed } from "./states.tsx";

type Props = {
  title: string;
  /** On the button that submits. */
  verb: string;
  isDisabled: boolean;
  problem: Problem | undefined;
  /** The fields. */
  children: ComponentChildren;
  /** What stands between the fields and the buttons, such as a plan. */
  result?: ComponentChildren;
  onSubmit: () => void;
  onClose: () => void;
};

/** A form in a dialog, which stays open until what it asks for is done. */
export function FormDialog({ title, verb, isDisabled, problem, children, result, onSubmit, onClose }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {children}
        {problem !== undefined && <Failed problem={problem} />}
        {result}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isDisabled}>
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
