import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A text that browsers load; `version` changes with it, so that they can keep it for ever. */
type Asset = { text: string; version: string };

/** A text file beside the function's code, read when it is first asked for. */
export function assetFile(path: string): () => Asset {
  let asset: Asset | undefined;
  return () => (asset ??= textAsset(readFileSync(path, "utf8")));
}

export function textAsset(text: string): Asset {
  return { text, version: createHash("sha256").update(text).digest("hex").slice(0, 16) };
}
