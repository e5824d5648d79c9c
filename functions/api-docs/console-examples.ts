import { usedKey } from "./access-examples.ts";

/** Examples of the operator's page in the OpenAPI document. */

/** No code of any installation: nothing random has this form. */
export const exampleCode = `sluice_code_${"0".repeat(43)}2CZclj`;

export const consoleSession = {
  keyId: usedKey.id,
  keyTenant: "acme",
  tenant: "acme",
  role: "reader",
  scopes: ["events:read", "console"],
  expiresAt: "2026-11-28T17:30:00.000Z",
  stage: "prod",
  version: "0.1.0",
  build: "3f9c2d81a07b",
};
