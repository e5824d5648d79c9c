import * as z from "zod";
import { ROLES, SCOPES } from "./scopes.ts";

/** The schemas of answers about signing in to the operator's page. */

/** The answer to `POST /console/codes`. */
const code = z.object({
  code: z.string().meta({ description: "Signs in once. It is in this answer only" }),
  expiresAt: z.iso.datetime(),
});

/** The answer to `POST /console/sessions`; the session itself is in the cookie. */
const signedIn = z.object({ expiresAt: z.iso.datetime() });

/** The answer to `GET /console/session`. */
const session = z.object({
  keyId: z.string(),
  keyTenant: z.string().meta({ description: "The tenant of the key; `*` for a key of the installation" }),
  tenant: z.string().meta({ description: "The tenant of this request; `*` where it concerns the installation" }),
  role: z.enum(ROLES),
  scopes: z.array(z.enum(SCOPES)),
  types: z.array(z.string()).optional().meta({ description: "The types that the key may send and read; missing: all" }),
  sources: z.array(z.string()).optional().meta({ description: "The same for sources" }),
  expiresAt: z.iso.datetime().optional().meta({
    description: "The end of the session, or of its key where that is earlier; missing for a key without an end",
  }),
  stage: z.string(),
  version: z.string().meta({ description: "The version of Sluice" }),
  build: z.string().meta({ description: "Tells two builds of it apart" }),
});

export type ConsoleSession = z.output<typeof session>;

export const consoleSchemas = { ConsoleCode: code, SignedIn: signedIn, ConsoleSession: session };
