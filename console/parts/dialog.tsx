import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

type Props = {
  title: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
  /** A drawer stands at the side of the window, over its whole height. */
  kind?: "dialog" | "drawer";
  /** Beside the title. */
  tools?: ComponentChildren;
};

/** A modal dialog. It keeps the focus until it is closed; then the focus is where it was before. */
export function Dialog({ title, onClose, children, kind = "dialog", tools }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={kind}
      aria-labelledby={heading}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        onClose();
      }}
      onClose={({ currentTarget }) => {
        // A browser lets a second Escape close a dialog whatever the page says. One that has to stay is shown again.
        onClose();
        setTimeout(() => {
          if (currentTarget.isConnected && !currentTarget.open) currentTarget.showModal();
        });
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="panel">
        <header>
          <h2 id={heading}>{title}</h2>
          {tools}
          <button type="button" class="plain close" aria-label="Close" onClick={onClose}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="m4 4 8 8M12 4l-8 8" />
            </svg>
          </button>
        </header>
        <div class="body">{children}</div>
      </div>
    </dialog>
  );
}
