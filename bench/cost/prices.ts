/** One price in its first tier, without the free tier. */
export type Price = {
  dollars: number;
  /** Units for that amount. */
  per: number;
  unit: string;
  sources: readonly string[];
  /** Date of the newest source. */
  asOf: string;
  /** Published by AWS, or named alike by two independent sources. */
  confirmed: boolean;
};

/** 730 hours, as AWS counts a month. */
export const MONTH_SECONDS = 730 * 3600;

export type PriceName = keyof typeof prices;

/** Prices of us-east-1 in US dollars. */
export const prices = {
  restApiRequest: {
    dollars: 3.5,
    per: 1e6,
    unit: "requests to a REST API",
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
    unit: "Lambda invocations",
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
    unit: "Lambda GB-seconds, arm64",
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
    unit: "SQS calls, of 64 KB at most",
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
    unit: "of these with a message group, on top",
    sources: ["https://cloudburn.io/blog/amazon-sqs-pricing"],
    asOf: "2026-03",
    confirmed: false,
  },
  dataApiUnit: {
    dollars: 0.35,
    per: 1e6,
    unit: "Data API calls, of 32 KB at most",
    sources: [
      "https://github.com/jiegec/kb/blob/master/docs/software/aws_pricing.md (the unit; the dollars are from write-ups that name no source)",
    ],
    asOf: "2026",
    confirmed: false,
  },
  dynamodbRead: {
    dollars: 0.125,
    per: 1e6,
    unit: "DynamoDB reads of at most 4 KB, strongly consistent",
    sources: [
      "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
      "https://www.jusdb.com/blog/dynamodb-cost-optimization-a-comprehensive-guide-by-jusdb (the half of the price before November 2024)",
    ],
    asOf: "2025-08",
    confirmed: false,
  },
  dynamodbWrite: {
    dollars: 0.625,
    per: 1e6,
    unit: "DynamoDB writes of at most 1 KB",
    sources: [
      "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
      "https://www.jusdb.com/blog/dynamodb-cost-optimization-a-comprehensive-guide-by-jusdb (the half of the price before November 2024)",
    ],
    asOf: "2025-08",
    confirmed: false,
  },
  s3Put: {
    dollars: 0.005,
    per: 1e3,
    unit: "S3 calls of uploads",
    sources: [
      "https://cloudburn.io/blog/amazon-s3-pricing",
      "https://www.cloudkaramchari.com/blog/understanding-per-1000-put-copy-post-or-list-requests-in-amazon-s3-pricing/",
    ],
    asOf: "2026-03",
    confirmed: true,
  },
  s3GigabyteMonth: {
    dollars: 0.023,
    per: 1,
    unit: "GB-months in S3 Standard",
    sources: [
      "https://cloudburn.io/blog/amazon-s3-pricing",
      "https://www.howtogeek.com/devops/aws-s3-pricing-explained-tiered-storage-can-save-you-money/",
    ],
    asOf: "2026-03",
    confirmed: true,
  },
  acuHour: {
    dollars: 0.12,
    per: 1,
    unit: "Aurora ACU-hours",
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
    unit: "Aurora Standard writes, of 4 KB of log at most",
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
    unit: "GB into CloudWatch Logs",
    sources: [
      "https://hykell.com/kb/platform-specific-guides/aws-cloudwatch-logs-pricing",
      "https://www.duckbillgroup.com/?p=9080",
    ],
    asOf: "2025-05",
    confirmed: true,
  },
  metricMonth: {
    dollars: 0.3,
    per: 1,
    unit: "metrics of our own, for a month of hours in which they are reported",
    sources: [
      "https://signoz.io/guides/cloudwatch-pricing",
      "https://cal53.calculator.city/cloudwatch-custom-metrics-calculator/",
    ],
    asOf: "2026-02",
    confirmed: true,
  },
  alarmMetricMonth: {
    dollars: 0.1,
    per: 1,
    unit: "metrics that alarms watch, a month",
    sources: ["https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm", "https://aws.amazon.com/cloudwatch/pricing"],
    asOf: "2026",
    confirmed: true,
  },
  compositeAlarmMonth: {
    dollars: 0.5,
    per: 1,
    unit: "alarms of alarms, a month",
    sources: ["https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm"],
    asOf: "2026",
    confirmed: false,
  },
  dashboardMonth: {
    dollars: 3,
    per: 1,
    unit: "dashboards, a month",
    sources: [
      "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/",
      "https://aws.amazon.com/cloudwatch/pricing",
    ],
    asOf: "2026-06",
    confirmed: true,
  },
  trace: {
    dollars: 5,
    per: 1e6,
    unit: "traces recorded by X-Ray",
    sources: ["https://aws.amazon.com/xray/pricing/"],
    asOf: "2026",
    confirmed: true,
  },
  gigabyteOut: {
    dollars: 0.09,
    per: 1,
    unit: "GB out to the internet",
    sources: ["https://www.apigatewaycost.com/aws", "https://amnic.com/blogs/aws-api-gateway-pricing"],
    asOf: "2026",
    confirmed: true,
  },
  eventBridgeChunk: {
    dollars: 1,
    per: 1e6,
    unit: "EventBridge events, of 64 KB at most",
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
    unit: "GB into Firehose, records rounded up to 5 KB",
    sources: [
      "https://aws.amazon.com/kinesis/data-firehose/pricing/ (the unit; the dollars are from write-ups that name no source)",
    ],
    asOf: "2026",
    confirmed: false,
  },
} satisfies Record<string, Price>;
