import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { KEY_PATTERN } from "../../functions/core/key.ts";

/** Every value of a secret in a runtime's data folder: passwords of the database's users, and the secret of the keys. */
export async function secretTexts(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, "secrets");
  const names = existsSync(folder) ? await readdir(folder) : [];
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const texts = files.flatMap((file) =>
    (JSON.parse(file) as { versions: { text?: string }[] }).versions.flatMap(({ text }) => text ?? []),
  );
  const password = join(dataDir, "postgres", "password");
  return [...texts.map(passwordOr), ...(existsSync(password) ? [(await readFile(password, "utf8")).trim()] : [])];
}

/** The password in the value of a database user's secret; of another secret the value itself. */
function passwordOr(text: string): string {
  return text.startsWith("{") ? (JSON.parse(text) as { password: string }).password : text;
}

/**
 * Whatever a test did, no line of the stack, whether of a log or of metrics, may have a key, a code, a session or another secret in it.
 * @throws Error with the line, without the secret
 */
export function refuseSecretsIn(lines: readonly string[], secrets: readonly string[]): void {
  const cleaned = lines.map((line) =>
    secrets
      .reduce((text, secret) => text.replaceAll(secret, "SECRET"), line)
      .replaceAll(new RegExp(KEY_PATTERN, "g"), "KEY")
      .replaceAll(/sluice_(code|session)_[0-9A-Za-z]+/g, "TOKEN"),
  );
  const found = cleaned.find((line, index) => line !== lines[index]);
  if (found !== undefined) throw new Error(`A line of the stack has a key or another secret: ${found}`);
}
