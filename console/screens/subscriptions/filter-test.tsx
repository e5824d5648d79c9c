import { useState } from "preact/hooks";
import { call } from "../../api/client.ts";
import { Failed } from "../../parts/states.tsx";
import { Text } from "../../parts/text.tsx";
import { filterMember, parseTyped } from "../../parts/typed-json.ts";
import { useAction } from "../../parts/use-action.ts";
import { filterFault } from "./subscription-body.ts";

type Answer = { matches: boolean; why: { pointer: string; message: string }[] };

const EXAMPLE = '{"id": "order-1", "source": "/shop"}';

/** Says whether an event matches the filter, and which part of the filter does not hold. */
export function FilterTest({ filter }: { filter: string | undefined }) {
  const [text, setText] = useState(EXAMPLE);
  const [answer, setAnswer] = useState<Answer & { of: string }>();
  const of = `${filter} ${text}`;
  const test = useAction(async () => {
    const body = { ...filterMember(filter ?? ""), event: parseTyped(text) };
    setAnswer({ ...(await call<Answer>("POST", "subscriptions/test", { body })).body, of });
  });
  const fault = filterFault(text);
  const current = answer?.of === of ? answer : undefined;
  return (
    <section class="card stack" aria-labelledby="test">
      <h2 id="test">Test the filter</h2>
      <label>
        An event: whole, or the id and source of a stored one
        <textarea
          rows={8}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      {fault !== undefined && <p class="bad">{fault}</p>}
      <div class="buttons">
        <button
          type="button"
          disabled={test.isRunning || fault !== undefined || filter === undefined}
          onClick={test.run}
        >
          Test
        </button>
      </div>
      <div aria-live="polite">
        {current?.matches === true && <p class="note good">It matches: the subscription would get it.</p>}
        {current?.matches === false && (
          <div class="note warn">
            <b>It does not match.</b>
            <ul class="faults">
              {current.why.map(({ pointer, message }) => (
                <li key={pointer}>
                  <code>
                    <Text value={pointer === "" ? "the filter" : pointer} />
                  </code>{" "}
                  <Text value={message} />
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
      {test.problem !== undefined && <Failed problem={test.problem} />}
    </section>
  );
}
