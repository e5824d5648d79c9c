import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Asset } from "../../core/ports.ts";

/** Returns a function that reads the text file on its first call. */
export function assetFile(path: string): () => Asset {
  let asset: Asset | undefined;
  return () => (asset ??= textAsset(readFileSync(path, "utf8")));
}

export function textAsset(text: string): Asset {
  return { text, version: createHash("sha256").update(text).digest("hex").slice(0, 16) };
}
