import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../message-of.ts";

const schema = z.strictObject({
  /** The rules of the template by which the value was made. */
  madeBy: z.string(),
  /** Seconds since 1970, as the times below. */
  createdAt: z.number(),
  changedAt: z.number(),
  rotatedAt: z.number().optional(),
  /** The oldest first. */
  versions: z.array(
    z.strictObject({
      id: z.string(),
      text: z.string().optional(),
      createdAt: z.number(),
      stages: z.array(z.string()),
    }),
  ),
});

/** A secret as it is kept on disk, values included. */
export type KeptSecret = z.output<typeof schema>;

/** @throws Error for a file that is damaged */
export async function readSecretFile(folder: string, name: string): Promise<KeptSecret | undefined> {
  const path = pathOf(folder, name);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Error(`${path} is damaged: ${z.prettifyError(parsed.error)}. Restore it, or delete it for a new value.`);
}

/** Without the parser's error, whose message may have a part of the file, which is secret. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes it in one step, so that a kill leaves the value before or the one after. Only this user can read it. */
export async function writeSecretFile(folder: string, name: string, secret: KeptSecret): Promise<void> {
  const path = pathOf(folder, name);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(secret, undefined, 2)}\n`);
    await file.sync();
  } catch (error) {
    throw new Error(`${path} cannot be written: ${messageOf(error)}`, { cause: error });
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** A name may have slashes: docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
const pathOf = (folder: string, name: string): string => join(folder, `${encodeURIComponent(name)}.json`);
