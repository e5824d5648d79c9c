import type { BucketModel } from "./model.ts";
import { type Properties, propertiesOf, type Shape } from "./properties.ts";
import type { Resolver } from "./resolver.ts";
import { TemplateError } from "./template.ts";

/**
 * Nobody but this machine's programs reaches the files, and the disk is the machine's, so who may call and encryption mean
 * nothing here. Versions, notifications, replication, object locks and websites are in no list, so they stop the start.
 * docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-s3-bucket.html
 */
const BUCKET: Shape = {
  used: ["BucketName", "LifecycleConfiguration", "PublicAccessBlockConfiguration"],
  inert: ["BucketEncryption", "OwnershipControls", "Tags"],
};
const LIFECYCLE: Shape = { used: ["Rules"], inert: [] };
const RULE: Shape = { used: ["AbortIncompleteMultipartUpload", "ExpirationInDays", "Prefix", "Status"], inert: ["Id"] };
const ABORT: Shape = { used: ["DaysAfterInitiation"], inert: [] };
const PUBLIC_ACCESS = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];

export function readBuckets(resolver: Resolver): BucketModel[] {
  return resolver.idsOf("AWS::S3::Bucket").map((logicalId) => readBucket(resolver, logicalId));
}

function readBucket(resolver: Resolver, logicalId: string): BucketModel {
  const properties = propertiesOf(resolver, logicalId, BUCKET);
  refusePublic(properties);
  const rules = properties.object("LifecycleConfiguration", LIFECYCLE)?.objects("Rules", RULE) ?? [];
  const active = rules.filter((rule) => rule.text("Status") === "Enabled");
  const days = active.map((rule) => readAbort(rule)).filter((each) => each !== undefined);
  return {
    logicalId,
    name: String(resolver.ref(logicalId, logicalId)),
    expirations: active.flatMap((rule) => {
      const expiration = rule.optionalNumber("ExpirationInDays");
      return expiration === undefined ? [] : [{ prefix: rule.optionalText("Prefix") ?? "", days: expiration }];
    }),
    abortUploadsAfterDays: days.length === 0 ? undefined : Math.min(...days),
  };
}

function readAbort(rule: Properties): number | undefined {
  const abort = rule.object("AbortIncompleteMultipartUpload", ABORT);
  if (abort === undefined) return undefined;
  if ((rule.optionalText("Prefix") ?? "") !== "") {
    throw new TemplateError(`${rule.path}.Prefix: uploads are ended in the whole bucket only. Remove it.`);
  }
  return abort.number("DaysAfterInitiation", 0);
}

/** The local S3 answers signed requests alone, as a private bucket does. */
function refusePublic(properties: Properties): void {
  const block = properties.object("PublicAccessBlockConfiguration", { used: PUBLIC_ACCESS, inert: [] });
  if (block !== undefined && PUBLIC_ACCESS.every((name) => block.flag(name, false))) return;
  throw new TemplateError(
    `${properties.path}.PublicAccessBlockConfiguration: only private buckets run locally. Set all four settings.`,
  );
}
