import type { ErasureMatch, ErasureScope } from "../core/erasure-objects.ts";
import type { Clock } from "../core/ports.ts";
import type { RefusalSample, RefusalSamples } from "../core/refusal.ts";
import { REFUSAL_TEXT_MAX_CHARACTERS } from "../core/refusal-limits.ts";

/** The place to go on at: behind a group. */
export type RefusalCursor = { after: string };

/**
 * Takes away samples of refusals. They have no value of an event's data, but its id and source, redacted and cut. An event that
 * was refused is stored nowhere, so nobody can say whose it was: where the erasure is of events that nobody has listed, every sample
 * of the tenant goes. Where it is of listed events, those go that have the id and source of one, or a cut or missing one.
 */
export function createEraseRefusals({ samples, clock }: { samples: RefusalSamples; clock: Clock }) {
  return {
    /** The samples of the tenant. @throws AccessError */
    async count({ tenant }: ErasureScope): Promise<number> {
      let count = 0;
      let after: string | undefined;
      do {
        const { groups, next } = await samples.page(tenant, after);
        for (const group of groups) count += group.samples.length;
        after = next;
      } while (after !== undefined);
      return count;
    },

    /** @throws AccessError; what `isErased` throws */
    async erase(
      scope: ErasureScope,
      isErased: ErasureMatch,
      from: RefusalCursor | undefined,
      { stopAt, deadline }: { stopAt: number; deadline: number },
    ): Promise<{ samples: number; cursor: RefusalCursor | undefined }> {
      let removed = 0;
      let after = from?.after;
      do {
        const { groups, next } = await samples.page(scope.tenant, after);
        for (const { group, samples: found } of groups) {
          if (found.length === 0) continue;
          const isKept = await keeperOf(found, scope, isErased, deadline);
          removed += await samples.keep(scope.tenant, group, isKept);
        }
        after = next;
      } while (after !== undefined && clock().getTime() < stopAt);
      return { samples: removed, cursor: after === undefined ? undefined : { after } };
    },
  };

  async function keeperOf(
    found: readonly RefusalSample[],
    { isListed = false }: ErasureScope,
    isErased: ErasureMatch,
    deadline: number,
  ): Promise<(sample: RefusalSample) => boolean> {
    if (!isListed) return () => false;
    const whole = found.filter(isWhole);
    const erased = await isErased(
      "refusals",
      whole.map(({ id, source }) => ({ id, source })),
      deadline,
    );
    const kept = new Set(whole.filter((_sample, index) => erased[index] === false).map(keyOf));
    // One that has come since is as an unknown one.
    return (sample) => isWhole(sample) && kept.has(keyOf(sample));
  }
}

type WholeSample = RefusalSample & { id: string; source: string };

/** Whether a sample has the id and source as they were sent. */
const isWhole = (sample: RefusalSample): sample is WholeSample =>
  [sample.id, sample.source].every(
    (text) => text !== undefined && text.length < REFUSAL_TEXT_MAX_CHARACTERS && !text.includes("[redacted]"),
  );

const keyOf = ({ id, source }: Pick<WholeSample, "id" | "source">): string => JSON.stringify([source, id]);
