import { useState } from "preact/hooks";
import { setParams } from "../route.ts";
import { time } from "./format.ts";
import { type Preset, PRESETS, type Range } from "./range.ts";

type Props = { range: Range; presets?: readonly Preset[] };

const NAMES: Record<Preset, string> = { "15m": "15 min", "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d" };

/** Chooses the range of time of a screen: one that ends now, or from one time to another. It stands in the address. */
export function TimeRange({ range, presets = PRESETS }: Props) {
  const [isOpen, setOpen] = useState(false);
  const choose = (preset: Preset) => {
    setOpen(false);
    setParams({ range: preset, from: undefined, to: undefined });
  };
  return (
    <div class="range" role="group" aria-label="Range of time">
      <div class="segments">
        {presets.map((preset) => (
          <button key={preset} type="button" aria-pressed={range.preset === preset} onClick={() => choose(preset)}>
            {NAMES[preset]}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={range.preset === undefined}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {range.preset === undefined
            ? `${time(range.from, { seconds: false })} – ${range.to === undefined ? "now" : time(range.to, { seconds: false })}`
            : "Custom"}
        </button>
      </div>
      {isOpen && <Custom range={range} onDone={() => setOpen(false)} />}
    </div>
  );
}

function Custom({ range, onDone }: { range: Range; onDone: () => void }) {
  const [from, setFrom] = useState(toLocal(range.from));
  const [to, setTo] = useState(toLocal(range.to ?? new Date().toISOString()));
  const isValid = from !== "" && (to === "" || from < to);
  return (
    <form
      class="popover"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isValid) return;
        setParams({ range: undefined, from: toIso(from), to: to === "" ? undefined : toIso(to) });
        onDone();
      }}
    >
      <label>
        From
        <input type="datetime-local" step="1" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" step="1" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      {!isValid && <p class="bad">The range must begin before it ends.</p>}
      <p class="quiet">In {Intl.DateTimeFormat().resolvedOptions().timeZone}, the time zone of this browser.</p>
      <button type="submit" class="primary" disabled={!isValid}>
        Show
      </button>
    </form>
  );
}

function toLocal(iso: string): string {
  return time(iso).replace(" ", "T");
}

function toIso(local: string): string {
  return new Date(local).toISOString();
}
