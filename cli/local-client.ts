/**
 * The settings of an SDK client of a local service. The client reads no variable and no file of the user's AWS
 * configuration for any of them (region, FIPS and dual-stack endpoints, retries …), because these mean AWS.
 */
export function localClient(service: { endpoint: string; region: string; maxAttempts: number }) {
  return {
    ...service,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    retryMode: "standard",
    defaultsMode: "legacy",
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    authSchemePreference: [] as string[],
    userAgentAppId: "sluice",
  } as const;
}
