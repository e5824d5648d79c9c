import * as z from "zod";
import type { Credentials } from "../data-api/secrets.ts";
import { authorization } from "./health.ts";

const TARGET = "secretsmanager.GetSecretValue";
const answer = z.object({ SecretString: z.string() });
const value = z.object({ username: z.string(), password: z.string() });

/**
 * The current value of a secret of the deployed stack, which the emulator keeps; undefined for a secret that it does not
 * have.
 * @throws Error where the emulator does not answer, or the secret is none of a database user
 */
export async function readSecret(endpoint: string, secretArn: string): Promise<Credentials | undefined> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      authorization: authorization("secretsmanager"),
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": TARGET,
    },
    body: JSON.stringify({ SecretId: secretArn }),
  });
  const text = await response.text();
  if (!response.ok) {
    if (text.includes("ResourceNotFoundException")) return undefined;
    throw new Error(`The emulator answered ${response.status} to ${TARGET}.`);
  }
  return value.parse(JSON.parse(answer.parse(JSON.parse(text)).SecretString));
}
