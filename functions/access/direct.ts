import * as z from "zod/mini";
import { newKey } from "../core/access-bodies.ts";
import type { MadeKey } from "../core/access-answers.ts";
import { INSTALLATION } from "../core/scopes.ts";
import type { Access } from "./access.ts";
import { deployer } from "./caller.ts";

const { name, expires } = newKey.shape;
const invocation = z.strictObject({ createInstallationKey: z.strictObject({ name, expires }) });

/**
 * Answers direct invocations of the function, by which the first key is made: the right of IAM to invoke the function is
 * the right to make a key of the installation. The key is in the audit log as made by `deployer`.
 */
export function createDirect({ keys }: Pick<Access, "keys">) {
  /** @throws Error that says what an invocation looks like; RequestError; AccessError */
  return async function direct(event: unknown, requestId: string): Promise<MadeKey> {
    const parsed = invocation.safeParse(event);
    if (!parsed.success) {
      throw new Error('The event is not {"createInstallationKey": {"name": "…", "expires": "15m"}}, both optional.');
    }
    const { createInstallationKey: request } = parsed.data;
    return keys.create(deployer(requestId), { ...request, tenant: INSTALLATION, role: "admin" });
  };
}
