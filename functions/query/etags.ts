import { createHash } from "node:crypto";
import type { Clock } from "../core/ports.ts";
import { SETTLED_MARGIN_MS } from "../core/window-limits.ts";
import type { WindowReader } from "../core/window-reader.ts";
import type { ListRequest } from "./list.ts";

export type EtagRequest = Pick<ListRequest, "principal" | "received" | "deadline"> & {
  /** Everything else that the answer depends on, as JSON of a fixed member order. */
  form: unknown;
};

/**
 * Makes the tags of answers about settled ranges: of the request, and of the state of the range. A late event, and a day that
 * is no longer retained, makes another tag. The tags are weak, because the cursors in an answer differ each time.
 */
export function createEtags({ windows, clock }: { windows: WindowReader; clock: Clock }) {
  /** The tag of a request; undefined for a range that is not settled. @throws DatabaseError */
  return async function etagOf({ principal, received, deadline, form }: EtagRequest): Promise<string | undefined> {
    if (received.to === undefined) return undefined;
    const settledMs = Date.parse(received.to) + SETTLED_MARGIN_MS;
    const now = clock().getTime();
    if (settledMs > now) return undefined;
    const { tenant, types, sources } = principal;
    const { version, horizonAgeMs } = await windows.read({ tenant, received }, deadline);
    if (settledMs > now - horizonAgeMs) return undefined;
    const text = JSON.stringify([tenant, types ?? null, sources ?? null, received, form, version]);
    return `W/"${createHash("sha256").update(text, "utf8").digest("base64url").slice(0, TAG_CHARACTERS)}"`;
  };
}

/** 132 bits. */
const TAG_CHARACTERS = 22;
