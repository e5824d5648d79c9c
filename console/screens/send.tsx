import { useEffect, useRef, useState } from "preact/hooks";
import { parseVerbatim } from "../../functions/core/lossless-json.ts";
import { readEvent } from "../parts/read-event.ts";
import { call } from "../api/client.ts";
import { isAwake } from "../frame/awake.ts";
import { KEEPS_DIGITS } from "../parts/keeps-digits.ts";
import { Empty, Failed, Loading } from "../parts/states.tsx";
import { useAction } from "../parts/use-action.ts";
import { useLoad } from "../parts/use-load.ts";
import { route } from "../route.ts";
import { can } from "../session.ts";
import { judge, type Judged, readFate } from "./send/ask.ts";
import { type Path, withValueAt } from "./send/draft.ts";
import { exampleOf, type Schema } from "./send/form.ts";
import { textOf } from "./send/input-value.ts";
import { Outcome, type Sent } from "./send/outcome.tsx";
import { SendForm } from "./send/send-form.tsx";
import { SendJson } from "./send/send-json.tsx";
import { followStored } from "./send/stages.ts";
import { VerdictNote } from "./send/verdict-note.tsx";

type Types = { types: { type: string; versions: { dataschema?: string }[] }[] };

/** An event by a form of its type's schema or as JSON: checked, sent, and followed until it is stored. */
export function Send() {
  const { data, problem, reload } = useLoad("schemas", async (signal) => {
    return (await call<Types>("GET", "schemas", { signal, tenant: null })).body.types.map(({ type }) => type);
  });
  if (data === undefined || !KEEPS_DIGITS) {
    return (
      <>
        <header class="head">
          <h1>Send</h1>
        </header>
        {!KEEPS_DIGITS ? (
          <Empty title="This browser cannot keep the digits of numbers">
            <p>
              Chrome 114, Firefox 135, Safari 18.4 and later can. Or use <code>npm run send</code>.
            </p>
          </Empty>
        ) : problem === undefined ? (
          <Loading what="Loading the catalog" lines={8} />
        ) : (
          <Failed problem={problem} onRetry={reload} />
        )}
      </>
    );
  }
  return <SendEvent types={data} first={route.value.params.get("type") ?? data[0] ?? ""} />;
}

function SendEvent({ types, first }: { types: readonly string[]; first: string }) {
  const [draft, setDraft] = useState<Record<string, unknown>>(() => newEvent(first));
  const [mode, setMode] = useState<"form" | "json">("form");
  const [text, setText] = useState("");
  const [judged, setJudged] = useState<Judged & { isDry: boolean }>();
  const [sent, setSent] = useState<Sent>();
  const form = useRef<HTMLFormElement>(null);
  const isShown = useRef(true);
  useEffect(
    () => () => {
      isShown.current = false;
    },
    [],
  );
  const type = textOf(draft["type"]);
  const isKnown = types.includes(type);
  const { data: schema } = useLoad(`schema ${type}`, async (signal) => {
    if (!isKnown) return undefined;
    const path = `schemas/${encodeURIComponent(type)}`;
    const { body } = await call<Schema>("GET", path, { signal, record: false, tenant: null });
    setDraft((before) => ({ ...before, data: exampleOf(body, new Date()) }));
    return body;
  });

  const event = (): unknown => (mode === "json" ? parseVerbatim(text) : draft);
  const check = useAction(async (isDry: boolean) => {
    setJudged(undefined);
    setSent(undefined);
    const started = performance.now();
    const wanted = event();
    const answer = await judge(wanted, isDry);
    setJudged({ ...answer, isDry });
    if (isDry || answer.verdict?.status !== "accepted") return;
    const acceptedAt = performance.now();
    const { id = "", unchecked } = answer.verdict;
    const source = textOf((wanted as Record<string, unknown>)["source"]);
    const known = { id, source, isUnchecked: unchecked === true, acceptedMs: acceptedAt - started };
    setSent({ ...known, fate: { kind: "waiting" }, fateMs: 0 });
    if (!can("events:read")) return setSent({ ...known, fate: { kind: "given_up" }, fateMs: 0 });
    const fate = await followStored({
      read: () => readFate(id, source),
      isWatched: () => isAwake.value && isShown.current,
      now: () => performance.now(),
      pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    });
    setSent({ ...known, fate, fateMs: performance.now() - acceptedAt });
    // The next one is another event.
    setDraft((before) => (before["id"] === id ? { ...before, id: crypto.randomUUID() } : before));
  });

  const change = (path: Path, value: unknown) => {
    setJudged(undefined);
    setDraft((before) => withValueAt(before, path, value) as Record<string, unknown>);
  };
  const faults = judged?.errors ?? [];
  return (
    <>
      <header class="head">
        <h1>Send</h1>
        <div class="buttons">
          <button type="button" disabled={check.isRunning} onClick={validate}>
            Validate
          </button>
          <button type="submit" form="event" class="primary" disabled={check.isRunning}>
            {check.isRunning ? "Working…" : "Send"}
          </button>
        </div>
      </header>
      <VerdictNote judged={judged} isForm={mode === "form"} />
      {check.problem !== undefined && <Failed problem={check.problem} />}
      {sent !== undefined && <Outcome sent={sent} />}
      <form
        id="event"
        ref={form}
        class="stack"
        onSubmit={(submitted) => {
          submitted.preventDefault();
          check.run(false);
        }}
      >
        <div class="segments" role="group" aria-label="How the event is written">
          <button type="button" aria-pressed={mode === "form"} onClick={() => toForm()}>
            Form
          </button>
          <button type="button" aria-pressed={mode === "json"} onClick={() => toJson()}>
            JSON
          </button>
        </div>
        {mode === "form" ? (
          <SendForm types={types} draft={draft} schema={schema} onChange={change} faults={faults} />
        ) : (
          <SendJson text={text} onText={(next) => (setText(next), setJudged(undefined))} faults={faults} />
        )}
      </form>
    </>
  );

  function validate() {
    if (form.current?.reportValidity() === true) check.run(true);
  }

  function toJson() {
    if (mode === "json") return;
    setText(JSON.stringify(draft, undefined, 2));
    setMode("json");
  }

  function toForm() {
    if (mode === "form") return;
    const read = readEvent(text);
    // The text says what is wrong with it; there is no form of it.
    if ("fault" in read) return;
    setDraft(read.event);
    setMode("form");
  }
}

const newEvent = (type: string): Record<string, unknown> => ({
  type,
  source: "/console",
  id: crypto.randomUUID(),
  data: {},
});
