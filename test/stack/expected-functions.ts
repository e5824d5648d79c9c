import type { DatabaseRole } from "../../functions/core/database-roles.ts";
import { FUNCTIONS, type FunctionName } from "../../functions/core/functions.ts";

const SECRET_ACTIONS = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
const STATEMENT_ACTIONS = ["rds-data:ExecuteStatement", ...SECRET_ACTIONS];
const TRANSACTION_ACTIONS = [
  "rds-data:BeginTransaction",
  "rds-data:CommitTransaction",
  "rds-data:ExecuteStatement",
  "rds-data:RollbackTransaction",
  ...SECRET_ACTIONS,
];
const KEY_CHECK_ACTIONS = ["dynamodb:GetItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"];
const ROTATE_ACTIONS = [
  "rds-data:ExecuteStatement",
  ...SECRET_ACTIONS,
  "secretsmanager:PutSecretValue",
  "secretsmanager:UpdateSecretVersionStage",
];
const SEND_ACTIONS = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"];
const RECEIVE_ACTIONS = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"];

export type ExpectedFunction = {
  /** Everything it is allowed, except for logs and traces. */
  actions: string[];
  /**
   * The largest size of its bundle, minified and without the source map: a twentieth above the present size. Every
   * 100 KiB are some 5 ms of a cold start. Raise a ceiling only for something that is worth that.
   */
  ceilingKib: number;
  /** Modules that are loaded when they are first needed, and mostly never are. @default none */
  lateModules?: number;
  /** Whose secret it has in the database, if it calls that. */
  role?: "owner" | DatabaseRole;
};

/** The functions that call the database, or those of them with a certain role there. */
export const databaseFunctions = (role?: ExpectedFunction["role"]) =>
  FUNCTIONS.filter((name) => EXPECTED_FUNCTIONS[name].actions.includes("rds-data:ExecuteStatement")).filter(
    (name) => role === undefined || EXPECTED_FUNCTIONS[name].role === role,
  );

/** The rights and the size of each function, which the tests compare with the stack. */
export const EXPECTED_FUNCTIONS: Record<FunctionName, ExpectedFunction> = {
  ingest: { actions: [...KEY_CHECK_ACTIONS, ...SEND_ACTIONS, "dynamodb:PutItem"], ceilingKib: 441 },
  consume: {
    actions: ["dynamodb:UpdateItem", ...STATEMENT_ACTIONS, ...SEND_ACTIONS, ...RECEIVE_ACTIONS],
    ceilingKib: 384,
    role: "writer",
  },
  drain: { actions: [...STATEMENT_ACTIONS, ...SEND_ACTIONS, ...RECEIVE_ACTIONS], ceilingKib: 400, role: "writer" },
  query: { actions: [...KEY_CHECK_ACTIONS, ...STATEMENT_ACTIONS], ceilingKib: 448, role: "reader" },
  access: {
    actions: [...KEY_CHECK_ACTIONS, "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"],
    ceilingKib: 301,
  },
  export: {
    actions: [
      ...KEY_CHECK_ACTIONS,
      ...STATEMENT_ACTIONS,
      ...SEND_ACTIONS,
      ...RECEIVE_ACTIONS,
      "dynamodb:PutItem",
      "dynamodb:Query",
      "s3:AbortMultipartUpload",
      "s3:GetObject",
      "s3:PutObject",
    ],
    ceilingKib: 560,
    role: "reader",
  },
  replay: {
    actions: [
      ...KEY_CHECK_ACTIONS,
      ...STATEMENT_ACTIONS,
      ...SEND_ACTIONS,
      ...RECEIVE_ACTIONS,
      "dynamodb:PutItem",
      "dynamodb:Query",
    ],
    ceilingKib: 640,
    role: "writer",
  },
  notify: {
    actions: [
      ...KEY_CHECK_ACTIONS,
      ...STATEMENT_ACTIONS,
      ...SEND_ACTIONS,
      ...RECEIVE_ACTIONS,
      "dynamodb:PutItem",
      "dynamodb:Query",
    ],
    // A quarter is undici's client, which takes a third of the processor time of Node's for each webhook (decision 0043).
    ceilingKib: 1_155,
    // The carriers of e-mails, SES and SMTP, the client of SNS, and undici's.
    lateModules: 4,
    role: "writer",
  },
  status: {
    actions: [
      ...KEY_CHECK_ACTIONS,
      ...STATEMENT_ACTIONS,
      ...SEND_ACTIONS,
      ...RECEIVE_ACTIONS,
      "cloudwatch:DescribeAlarms",
      "dynamodb:DeleteItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
    ],
    ceilingKib: 440,
    role: "writer",
  },
  retain: {
    actions: [
      ...KEY_CHECK_ACTIONS,
      ...STATEMENT_ACTIONS,
      ...SEND_ACTIONS,
      ...RECEIVE_ACTIONS,
      "dynamodb:PutItem",
      "dynamodb:Query",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:PutObject",
    ],
    ceilingKib: 620,
    role: "owner",
  },
  migrate: { actions: [...TRANSACTION_ACTIONS, ...SEND_ACTIONS], ceilingKib: 268, role: "owner" },
  rotate: { actions: ROTATE_ACTIONS, ceilingKib: 232, role: "owner" },
  console: {
    actions: [...KEY_CHECK_ACTIONS, "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"],
    ceilingKib: 303,
  },
  "api-docs": { actions: [], ceilingKib: 267 },
};
