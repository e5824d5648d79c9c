import { CONSUME_MAX_CONCURRENCY, NOTIFY_MAX_CONCURRENCY } from "../functions/core/function-limits.ts";
import { RETENTION_DAYS } from "../functions/core/retention.ts";
import type { OwnSettings, Settings } from "./settings.ts";

/**
 * Refuses settings of a stage of which one undoes another.
 * @param own those of sluice.config.json among them
 * @throws Error that says which, and what to do
 */
export function refuseContradictions(stage: Settings & { readonly name: string }, own: OwnSettings): void {
  const [first] = CONTRADICTIONS.flatMap((contradiction) => contradiction(stage, own) ?? []);
  if (first !== undefined) throw new Error(`The stage ${stage.name} has ${first}`);
}

/** Each continues the sentence "The stage NAME has"; undefined if nothing is wrong. */
const CONTRADICTIONS: readonly ((stage: Settings, own: OwnSettings) => string | undefined)[] = [
  ({ databaseMinCapacity: min, databaseMaxCapacity: max }) =>
    min > max ? `a databaseMinCapacity of ${min}, above its databaseMaxCapacity of ${max}.` : undefined,

  ({ existingDatabase }, own) => {
    const useless = Object.keys(own).filter((key) => key.startsWith("database") || key === "existingVpc");
    return existingDatabase !== undefined && useless.length > 0
      ? `an existingDatabase, so ${useless.join(", ")} would do nothing. Set that at the cluster, and leave it out of sluice.config.json.`
      : undefined;
  },

  ({ rollupRetentionDays: days, retention }) =>
    days !== undefined && days < RETENTION_DAYS[retention]
      ? `a rollupRetentionDays of ${days}, and a retention of ${retention}. Rollups outlive events: give ${RETENTION_DAYS[retention]} or more, or leave it out to keep them for good.`
      : undefined,

  ({ domain }) => {
    const zone = domain?.hostedZone?.name;
    return zone === undefined || domain?.name === zone || domain?.name.endsWith(`.${zone}`)
      ? undefined
      : `the domain ${domain?.name}, which is not in its hosted zone ${zone}. Name the zone of the domain, or leave hostedZone out and add the record where the domain is.`;
  },

  ({ mtls, domain }) =>
    mtls !== undefined && domain === undefined
      ? "mtls without a domain. API Gateway asks for client certificates at a custom domain only: set domain too."
      : undefined,

  ({ mtls, domain }) =>
    mtls !== undefined && domain?.keepDefaultEndpoint
      ? "mtls and keepDefaultEndpoint. The default address asks for no certificate, so anybody could go round it: leave keepDefaultEndpoint out."
      : undefined,

  ({ mtls, tlsPolicy }) =>
    mtls !== undefined && tlsPolicy !== undefined
      ? `mtls and the tlsPolicy ${tlsPolicy}, which API Gateway does not offer together. Leave one out; a domain without a tlsPolicy has TLS 1.2 and up.`
      : undefined,

  ({ mtls, corsOrigins }) =>
    mtls !== undefined && corsOrigins !== undefined
      ? "mtls and corsOrigins. A browser sends no certificate with a preflight, so no page of another origin could call the API: leave one out."
      : undefined,

  ({ reservedConcurrency }) => {
    const consume = reservedConcurrency?.consume;
    return consume !== undefined && consume < CONSUME_MAX_CONCURRENCY
      ? `a reservedConcurrency of ${consume} for consume, which its queue invokes up to ${CONSUME_MAX_CONCURRENCY} times at once. Throttled messages become dead letters in the end: reserve ${CONSUME_MAX_CONCURRENCY} or more, or leave it out.`
      : undefined;
  },

  ({ reservedConcurrency }) => {
    const notify = reservedConcurrency?.notify;
    return notify !== undefined && notify < NOTIFY_MAX_CONCURRENCY
      ? `a reservedConcurrency of ${notify} for notify, which its queue invokes up to ${NOTIFY_MAX_CONCURRENCY} times at once. Throttled wake-ups become dead letters in the end: reserve more than ${NOTIFY_MAX_CONCURRENCY}, because requests about subscriptions need some too, or leave it out.`
      : undefined;
  },
];
