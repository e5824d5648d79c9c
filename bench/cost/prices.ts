/** One price of the list, without free tier and in its first tier. */
export type Price = {
  dollars: number;
  /** How many units that buys. */
  per: number;
  unit: string;
  sources: readonly string[];
  /** When the newest of them said so. */
  asOf: string;
  /** Read on a page of AWS, or named alike by two sources that have nothing to do with each other. */
  confirmed: boolean;
};

export type PriceName = keyof typeof prices;

/** Of the region us-east-1, in US dollars. */
export const prices = {
  restApiRequest: {
    dollars: 3.5,
    per: 1e6,
    unit: "requests",
    sources: [
      "https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html",
      "https://www.apigatewaycost.com/aws",
    ],
    asOf: "2026",
    confirmed: true,
  },
  lambdaRequest: {
    dollars: 0.2,
    per: 1e6,
    unit: "invocations",
    sources: [
      "https://cloudchipr.com/blog/aws-lambda-pricing",
      "https://git.mcrn.ar/mariano/lambda_local_runner/src/branch/main/docs/lambdas-md/lambda-13-cost.md",
    ],
    asOf: "2026-05",
    confirmed: true,
  },
  lambdaArmGigabyteSecond: {
    dollars: 0.0000133334,
    per: 1,
    unit: "GB-seconds (arm64)",
    sources: [
      "https://cloudchipr.com/blog/aws-lambda-pricing",
      "https://git.mcrn.ar/mariano/lambda_local_runner/src/branch/main/docs/lambdas-md/lambda-13-cost.md",
    ],
    asOf: "2026-05",
    confirmed: true,
  },
  sqsChunk: {
    dollars: 0.4,
    per: 1e6,
    unit: "64 KB chunks",
    sources: [
      "https://aws.amazon.com/sqs/pricing/",
      "https://www.factualminds.com/blog/amazon-sqs-pricing-64kb-rule-fifo-vs-standard/",
    ],
    asOf: "2026-06",
    confirmed: true,
  },
  sqsGroupedChunk: {
    dollars: 0.1,
    per: 1e6,
    unit: "64 KB chunks with a message group (surcharge)",
    sources: ["https://cloudburn.io/blog/amazon-sqs-pricing"],
    asOf: "2026-03",
    confirmed: false,
  },
  dataApiUnit: {
    dollars: 0.35,
    per: 1e6,
    unit: "32 KB units",
    sources: [
      "https://github.com/jiegec/kb/blob/master/docs/software/aws_pricing.md (the unit; the dollars are from write-ups that name no source)",
    ],
    asOf: "2026",
    confirmed: false,
  },
  acuHour: {
    dollars: 0.12,
    per: 1,
    unit: "ACU-hours",
    sources: [
      "https://c3x.dev/blog/aws-aurora-serverless-v2-cost/",
      "https://awsnegotiations.com/blog/aurora-serverless-v2-pricing.html",
    ],
    asOf: "2026-05",
    confirmed: true,
  },
  auroraIo: {
    dollars: 0.2,
    per: 1e6,
    unit: "writes of 4 KB of log (Aurora Standard)",
    sources: [
      "https://awsnegotiations.com/aurora-i-o-optimized-vs-standard-cost",
      "https://www.jusdb.com/blog/aurora-io-optimized-vs-standard-when-to-switch",
    ],
    asOf: "2026-06",
    confirmed: true,
  },
  logGigabyte: {
    dollars: 0.5,
    per: 1,
    unit: "GB of logs",
    sources: [
      "https://hykell.com/kb/platform-specific-guides/aws-cloudwatch-logs-pricing",
      "https://www.duckbillgroup.com/?p=9080",
    ],
    asOf: "2025-05",
    confirmed: true,
  },
  trace: {
    dollars: 5,
    per: 1e6,
    unit: "traces",
    sources: ["https://aws.amazon.com/xray/pricing/"],
    asOf: "2026",
    confirmed: true,
  },
  gigabyteOut: {
    dollars: 0.09,
    per: 1,
    unit: "GB to the internet",
    sources: ["https://www.apigatewaycost.com/aws", "https://amnic.com/blogs/aws-api-gateway-pricing"],
    asOf: "2026",
    confirmed: true,
  },
  eventBridgeChunk: {
    dollars: 1,
    per: 1e6,
    unit: "events of at most 64 KB",
    sources: [
      "https://cloudburn.io/blog/amazon-eventbridge-pricing",
      "https://www.factualminds.com/blog/amazon-eventbridge-pricing-events-pipes-schema-archive/",
    ],
    asOf: "2026-06",
    confirmed: true,
  },
  firehoseGigabyte: {
    dollars: 0.029,
    per: 1,
    unit: "GB, records rounded up to 5 KB",
    sources: [
      "https://aws.amazon.com/kinesis/data-firehose/pricing/ (the unit; the dollars are from write-ups that name no source)",
    ],
    asOf: "2026",
    confirmed: false,
  },
} satisfies Record<string, Price>;
