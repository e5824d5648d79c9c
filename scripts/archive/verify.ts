import { reasonOf } from "../../cli/reason-of.ts";
import type { ArchiveFiles } from "../../functions/core/archive-files.ts";
import { ArchiveError } from "../../functions/core/archive-manifest.ts";
import { type ArchiveScope, findManifest, listManifests, readPart } from "../../functions/core/read-archive.ts";

export type Verified = { manifests: number; parts: number; rows: number; bytes: number; faults: string[] };

/** Reads everything in a scope and compares it with its manifests. A fault names its file; the others are read on. */
export async function verify(
  files: Pick<ArchiveFiles, "get" | "list">,
  scope: ArchiveScope,
  progress: (bytes: number) => void = () => undefined,
): Promise<Verified> {
  const found: Verified = { manifests: 0, parts: 0, rows: 0, bytes: 0, faults: [] };
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      found.faults.push(reasonOf(error));
    }
  };
  for await (const key of listManifests(files, scope)) {
    await attempt(async () => {
      const manifest = await findManifest(files, key);
      found.manifests += 1;
      for (const part of manifest.parts) {
        await attempt(async () => {
          const lines = await readPart(files, manifest, part);
          found.parts += 1;
          found.rows += lines.length;
          found.bytes += part.bytes;
        });
        progress(part.bytes);
      }
    });
  }
  return found;
}
