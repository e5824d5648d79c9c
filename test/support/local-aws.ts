import { vi } from "vitest";

/** The settings of an SDK client for a server on this machine, besides its endpoint. */
export const LOCAL_AWS = {
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};

/** Sets the environment that an SDK client without options reads, until `vi.unstubAllEnvs()`. */
export function stubAws(endpoints: Record<string, string>): void {
  const environment = {
    AWS_REGION: LOCAL_AWS.region,
    AWS_ACCESS_KEY_ID: LOCAL_AWS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_AWS.credentials.secretAccessKey,
  };
  for (const [name, value] of Object.entries({ ...environment, ...endpoints })) vi.stubEnv(name, value);
}
