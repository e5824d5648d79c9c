import { ERASURE_OBJECT_PLACES, type ErasedObjects, type ErasureObjectPlace } from "../core/erasure-objects.ts";
import type { Clock } from "../core/ports.ts";
import { type ArchiveCursor, createEraseArchive, type EraseArchiveDeps } from "./erase-archive.ts";
import { createEraseExports, type EraseExportsDeps, type ExportCursor } from "./erase-exports.ts";
import { createEraseRefusals, type RefusalCursor } from "./erase-refusals.ts";
import type { RefusalSamples } from "../core/refusal.ts";

/** The place, and the cursor in it. A job keeps it as a text. */
type Cursor = ["exports", ExportCursor | null] | ["archive", ArchiveCursor | null] | ["refusals", RefusalCursor | null];

/** The objects outside of the database: the files of exports, the archive, the samples of refusals, one place after the other. */
export function createErasedObjects({
  exports: ofExports,
  archive: ofArchive,
  samples,
  clock,
}: {
  exports: Omit<EraseExportsDeps, "clock">;
  archive: EraseArchiveDeps;
  samples: RefusalSamples;
  clock: Clock;
}): ErasedObjects {
  const exports = createEraseExports({ ...ofExports, clock });
  const archive = createEraseArchive(ofArchive);
  const refusals = createEraseRefusals({ samples, clock });

  return {
    plan: async (scope) => ({
      exports: await exports.count(scope),
      archive: await archive.count(scope),
      refusals: await refusals.count(scope),
    }),

    async erase(scope, isErased, { cursor, ...budget }) {
      const [place, from] = cursor === undefined ? (["exports", null] as const) : (JSON.parse(cursor) as Cursor);
      const counts = { exports: 0, archive: 0, refusals: 0 };
      let next: object | undefined;
      switch (place) {
        case "exports": {
          const page = await exports.erase(scope, isErased, from ?? undefined, budget);
          counts.exports = page.exports;
          next = page.cursor;
          break;
        }
        case "archive": {
          const now = () => clock().getTime();
          const page = await archive.erase(scope, isErased, from ?? undefined, { ...budget, now });
          counts.archive = page.parts;
          next = page.cursor;
          break;
        }
        case "refusals": {
          const page = await refusals.erase(scope, isErased, from ?? undefined, budget);
          counts.refusals = page.samples;
          next = page.cursor;
          break;
        }
      }
      return { counts, cursor: next === undefined ? beginOf(placeBehind(place)) : JSON.stringify([place, next]) };
    },
  };
}

const placeBehind = (place: ErasureObjectPlace): ErasureObjectPlace | undefined =>
  ERASURE_OBJECT_PLACES[ERASURE_OBJECT_PLACES.indexOf(place) + 1];

const beginOf = (place: ErasureObjectPlace | undefined): string | undefined =>
  place === undefined ? undefined : JSON.stringify([place, null]);
