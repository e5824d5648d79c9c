import type { Candidate } from "../core/candidate.ts";
import { RequestError } from "../core/errors.ts";
import { fitsUtf8 } from "../core/fits-utf8.ts";
import { TYPE_MAX_BYTES } from "../core/limits.ts";
import { isJsonObject } from "../core/lossless-json.ts";
import { toRefusalPointer } from "../core/refusal-pointer.ts";
import type { Validated } from "../core/validate.ts";
import { describeEvent } from "./refusal-sample.ts";
import type { RefusedRequest, Refusals } from "./refusals.ts";

/** Counts the invalid events of a request, each once for each of its errors that differ in code or pointer. */
export function noteInvalid(
  refusals: Pick<Refusals, "note">,
  request: RefusedRequest,
  validated: readonly Validated[],
  candidates: readonly Candidate[],
): void {
  for (const [index, each] of validated.entries()) {
    if (each.kind === "valid") continue;
    const candidate = candidates[index];
    const event = candidate?.kind === "event" ? candidate.value : undefined;
    const type = typeOf(event);
    const noted = new Set<string>();
    for (const { code, path } of each.errors) {
      const pointer = toRefusalPointer(path);
      const key = `${code} ${pointer}`;
      if (code === "more_errors" || noted.has(key)) continue;
      refusals.note(request, { code, type, pointer }, () => describeEvent(event, path), noted.size === 0);
      noted.add(key);
    }
  }
}

/** Decodes the events of a request; one that is refused as a whole is counted before the error goes on. @throws RequestError */
export async function decodeOrNote(
  refusals: Refusals,
  request: RefusedRequest,
  { decode, deadline }: { decode: () => Candidate[]; deadline: number },
): Promise<Candidate[]> {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RequestError) refusals.note(request, { code: error.code, pointer: "" }, () => ({}));
    await refusals.send(deadline);
    throw error;
  }
}

/** The type of an event, if it can be one. */
function typeOf(event: unknown): string | undefined {
  const type = isJsonObject(event) ? event["type"] : undefined;
  const canBe = typeof type === "string" && type !== "" && type.isWellFormed() && fitsUtf8(type, TYPE_MAX_BYTES);
  return canBe ? type : undefined;
}
