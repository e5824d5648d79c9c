import { FUNCTIONS } from "../../functions/core/functions.ts";

const certificateArn = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000";

/** Every setting that fits together, for callers with browsers, as sluice.config.json has them. */
export const FULL_SETTINGS = {
  like: "prod",
  alarmEmail: "on-call@example.com",
  databaseReaders: 2,
  logRetentionDays: 90,
  domain: {
    name: "events.example.com",
    certificateArn,
    hostedZone: { id: "Z0123456789ABC", name: "example.com" },
  },
  tlsPolicy: "SecurityPolicy_TLS13_1_2_PQ_2025_09",
  webAclArn: "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/sluice/0a1b2c3d",
  ipAllowList: ["203.0.113.0/24", "198.51.100.7/32"],
  corsOrigins: ["https://app.example.com", "http://localhost:5173"],
  reservedConcurrency: Object.fromEntries(FUNCTIONS.map((name, index) => [name, 5 + index])),
  tags: { "cost-center": "42", team: "orders" },
  permissionsBoundaryArn: "arn:aws:iam::123456789012:policy/bounds",
  existingVpc: {
    vpcId: "vpc-0a1b2c3d",
    subnets: { "us-east-1a": "subnet-0a1b2c3d", "us-east-1b": "subnet-0e5f6a7b", "us-east-1d": "subnet-0c8d9e0f" },
  },
};

/** The settings that these exclude, for callers with client certificates. */
export const CERTIFICATE_SETTINGS = {
  like: "prod",
  domain: { name: "events.example.com", certificateArn },
  mtls: { bucket: "truststore", key: "clients.pem", version: "v1" },
  existingDatabase: {
    clusterArn: "arn:aws:rds:us-east-1:123456789012:cluster:restored",
    secretArn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:restored",
    databaseName: "sluice",
  },
};
