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
const SEND_ACTIONS = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"];
const RECEIVE_ACTIONS = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"];

type ExpectedFunction = {
  /** Everything it is allowed, except for logs and traces. */
  actions: string[];
  /**
   * The largest size of its bundle, minified and without the source map: a twentieth above the present size. Every
   * 100 KiB are some 5 ms of a cold start. Raise a ceiling only for something that is worth that.
   */
  ceilingKib: number;
};

/** The functions that call the database. */
export const databaseFunctions = () =>
  FUNCTIONS.filter((name) => EXPECTED_FUNCTIONS[name].actions.includes("rds-data:ExecuteStatement"));

/** The rights and the size of each function, which the tests compare with the stack. */
export const EXPECTED_FUNCTIONS: Record<FunctionName, ExpectedFunction> = {
  ingest: { actions: SEND_ACTIONS, ceilingKib: 352 },
  consume: { actions: [...STATEMENT_ACTIONS, ...SEND_ACTIONS, ...RECEIVE_ACTIONS], ceilingKib: 350 },
  query: { actions: STATEMENT_ACTIONS, ceilingKib: 230 },
  migrate: { actions: TRANSACTION_ACTIONS, ceilingKib: 230 },
  "api-docs": { actions: [], ceilingKib: 136 },
};
