import { useState } from "preact/hooks";

/** Copies a text, and says so. */
export function CopyButton({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      setSaid("Copied");
    } catch {
      setSaid("Not copied: the browser refused");
    }
    setTimeout(() => setSaid(""), 2_000);
  };
  return (
    <button type="button" class="small" onClick={() => void copy()}>
      {said === "" ? label : said}
      <span class="visually-hidden" role="status">
        {said}
      </span>
    </button>
  );
}
