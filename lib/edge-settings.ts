import { BlockList } from "node:net";
import { SecurityPolicy } from "aws-cdk-lib/aws-apigateway";
import * as z from "zod";
import { type FunctionName, FUNCTIONS } from "../functions/core/functions.ts";

/** A DNS name in lower case, as API Gateway wants it. */
const hostname = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, "is not the name of a host in lower case");

/** Networks whose addresses API Gateway never sees as a source. */
const notPublic = new BlockList();
for (const [address, prefix] of [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const) {
  notPublic.addSubnet(address, prefix);
}

/** A regional API has an IPv4 address alone, and sees the address that a caller has on the internet. */
const publicRange = z
  .cidrv4("is not a range of IPv4 addresses like 203.0.113.0/24 or 203.0.113.7/32; the API has no IPv6 address")
  .refine(
    (range) => !notPublic.check(range.split("/")[0] ?? ""),
    "is a private range, but API Gateway sees the public address of a caller, for example that of a NAT gateway",
  );

/** `https://app.example.com`, as a browser writes it into the header `Origin`. */
const origin = z
  .string()
  .refine(
    (text) => /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text,
    "is not an origin like https://app.example.com: scheme, host and port, in lower case and without a slash at the end",
  );

const tagKey = z.string().regex(/^(?!aws:|application$|stage$)[\w +\-=.:/@]{1,128}$/);

/** Tags of a resource that Sluice itself sets: `application`, `stage`. AWS allows fifty. */
const TAGS_MAX = 48;

/**
 * The settings of a stage that say who reaches it, and where it stands in an account. Nothing is looked up in the account,
 * so that a synthesis needs none.
 */
export const edgeSettings = {
  /** The API's own name. Its default address is then off. */
  domain: z.optional(
    z.strictObject({
      name: hostname,
      /** Of a certificate in the stage's region. */
      certificateArn: z
        .string()
        .regex(/^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/.+$/, "is not the ARN of a certificate"),
      /** The zone that gets the record. @default none: its owner adds the record */
      hostedZone: z.optional(
        z.strictObject({ id: z.string().regex(/^Z[A-Z0-9]+$/, "is not the id of a hosted zone"), name: hostname }),
      ),
      /** Leaves the default address on, while producers change over. @default false */
      keepDefaultEndpoint: z.optional(z.boolean()),
    }),
  ),
  /**
   * The oldest TLS version of the API and of its domain, and their ciphers.
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
   */
  tlsPolicy: z.optional(
    z.enum([
      SecurityPolicy.TLS13_1_3_2025_09,
      SecurityPolicy.TLS13_1_3_FIPS_2025_09,
      SecurityPolicy.TLS13_1_2_PQ_2025_09,
      SecurityPolicy.TLS13_1_2_PFS_PQ_2025_09,
    ]),
  ),
  /** The authorities whose client certificates are accepted: a PEM file in S3. @default callers need no certificate */
  mtls: z.optional(
    z.strictObject({ bucket: z.string().min(3), key: z.string().min(1), version: z.optional(z.string().min(1)) }),
  ),
  webAclArn: z.optional(
    z
      .string()
      .regex(
        /^arn:[\w-]+:wafv2:[\w-]+:\d{12}:regional\/webacl\/.+$/,
        "is not the ARN of a regional web ACL; one for CloudFront does not fit an API",
      ),
  ),
  /** The only callers. AWS's policy of an API has 8,192 bytes, enough for some three hundred. @default everybody */
  ipAllowList: z.optional(z.array(publicRange).min(1).max(200)),
  /** Origins whose pages may call the API. @default none */
  corsOrigins: z.optional(z.array(origin).min(1).max(20)),
  /** Concurrency that Lambda keeps for a function, and its largest. @default what the account has left */
  reservedConcurrency: z.optional(
    z.strictObject(ofEachFunction(z.optional(z.int().min(1))), {
      error: ({ code }) =>
        code === "unrecognized_keys" ? `There is no such function. They are ${FUNCTIONS.join(", ")}` : undefined,
    }),
  ),
  /** Of every resource. */
  tags: z.optional(
    z
      .record(tagKey, z.string().regex(/^[\w +\-=.:/@]{0,256}$/, "is not the value of a tag"), {
        error: ({ code }) =>
          code === "invalid_key"
            ? "A tag has a key of at most 128 characters: a-z, A-Z, 0-9, space and _ + - = . : / @. It is not application or stage, and does not begin with aws:"
            : undefined,
      })
      .refine((tags) => Object.keys(tags).length <= TAGS_MAX, `has more than ${TAGS_MAX} tags`),
  ),
  /** The policy that bounds every role of the stack. */
  permissionsBoundaryArn: z.optional(
    z.string().regex(/^arn:[\w-]+:iam::(\d{12}|aws):policy\/.+$/, "is not the ARN of a managed policy"),
  ),
  /** A network outside the stack for the stack's own database: the id of one subnet in each of its zones. */
  existingVpc: z.optional(
    z.strictObject({
      vpcId: z.string().regex(/^vpc-([0-9a-f]{8}|[0-9a-f]{17})$/, "is not the id of a VPC"),
      subnets: z
        .record(z.string(), z.string().regex(/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/, "is not the id of a subnet"))
        .refine(
          (subnets) =>
            Object.keys(subnets).length >= 2 &&
            Object.keys(subnets).every((zone) => /^[a-z]+-[a-z0-9-]+[a-z]$/.test(zone)),
          'has not a subnet in each of two or more zones, as Aurora wants them: { "us-east-1a": "subnet-…", "us-east-1b": "subnet-…" }',
        ),
    }),
  ),
};

function ofEachFunction<T>(schema: T): Record<FunctionName, T> {
  return Object.fromEntries(FUNCTIONS.map((name) => [name, schema])) as Record<FunctionName, T>;
}
