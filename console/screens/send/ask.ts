import { call } from "../../api/client.ts";
import { Problem } from "../../api/problem.ts";
import type { EventFault, Verdict } from "../../types.ts";
import type { Fate } from "./stages.ts";

/** The verdict about an event; its errors have the places of the fields. */
export type Judged = { verdict: Verdict | undefined; errors: readonly EventFault[] };

/** Sends an event, or has it validated only. @throws Problem for any answer but a verdict */
export async function judge(event: unknown, isDry: boolean): Promise<Judged> {
  const query = isDry ? { validate: "only" } : {};
  try {
    const { body } = await call<{ results: Verdict[] }>("POST", "events", { body: event, query });
    return judged(body.results);
  } catch (error) {
    const results = error instanceof Problem ? error.members["results"] : undefined;
    if (!Array.isArray(results)) throw error;
    return judged(results as Verdict[]);
  }
}

const judged = ([verdict]: readonly Verdict[]): Judged => ({ verdict, errors: verdict?.errors ?? [] });

/** Codes of an answer that says that nothing is known yet. */
const NOT_YET: ReadonlySet<string> = new Set([
  "not_found",
  "rate_limited",
  "database_unavailable",
  "throttled",
  "unreachable",
]);

/** Reads what became of an event; undefined while nobody knows. @throws Problem */
export async function readFate(
  id: string,
  source: string,
): Promise<Exclude<Fate, { kind: "waiting" | "given_up" }> | undefined> {
  try {
    const { body } = await call<Record<string, unknown>>("GET", `events/${encodeURIComponent(id)}`, {
      query: { source },
      record: false,
    });
    return { kind: "stored", event: body };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, members } = error;
    if (code === "dead_lettered") {
      const text = (name: string) => (typeof members[name] === "string" ? members[name] : undefined);
      const [message, deadLetter] = [text("message"), text("deadLetter")];
      return {
        kind: "dead_lettered",
        reason: text("reason") ?? "unknown",
        ...(message !== undefined && { message }),
        ...(deadLetter !== undefined && { deadLetter }),
      };
    }
    if (NOT_YET.has(code)) return undefined;
    throw error;
  }
}
