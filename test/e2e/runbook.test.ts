import { DeleteBackupCommand, DeleteTableCommand, DynamoDBClient, ListBackupsCommand } from "@aws-sdk/client-dynamodb";
import { LambdaClient, paginateListFunctions } from "@aws-sdk/client-lambda";
import { afterAll, describe, expect, it } from "vitest";
import { findSession } from "../../localstack/emulator/session.ts";
import { awsCommand } from "../support/aws-command.ts";
import { LOCAL_AWS } from "../support/local-aws.ts";
import { commandsOfKind, fillIn, ONLY_AWS, type RunbookValues } from "../support/runbook.ts";
import { deployedTarget } from "./deployment.ts";

const target = deployedTarget();
const session = target === undefined || target.outputs !== undefined ? undefined : await findSession(target.dataDir);
// Its tables are copied and restored at once; on AWS that takes half an hour and has a price, and LocalStack has neither.
const endpoint = session?.emulator === "ministack" ? session.endpoint : undefined;

describe.skipIf(endpoint === undefined)(
  "the runbook's commands of AWS, of which only MiniStack has a server here",
  () => {
    const dynamodb = new DynamoDBClient({ ...LOCAL_AWS, endpoint: endpoint ?? "" });
    const lambda = new LambdaClient({ ...LOCAL_AWS, endpoint: endpoint ?? "" });
    afterAll(async () => {
      if (endpoint !== undefined) await removeCopies();
      dynamodb.destroy();
      lambda.destroy();
    });

    it.each(commandsOfKind(ONLY_AWS))("%s: %s answers 200", async (section, text) => {
      const { service, command } = awsCommand(fillIn(await namesIn(), section, text));

      const client = (service === "lambda" ? lambda : dynamodb) as { send(command: object): Promise<object> };
      const answer = await client.send(command);
      expect(answer).toMatchObject({ $metadata: { httpStatusCode: 200 } });
      // A function that was invoked and failed answers 200 as well.
      expect(answer).not.toMatchObject({ FunctionError: expect.anything() });
    });

    /** The names that the runbook takes from the functions. */
    async function namesIn(): Promise<RunbookValues> {
      const values = {
        everywhere: { TIME: new Date().toISOString(), TABLE: "" },
        Migrations: {},
        "Retention behind": {},
      };
      for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {}))
        for (const { FunctionName = "", Environment } of Functions) {
          values.everywhere.TABLE ||= Environment?.Variables?.["AUDIT_TABLE"] ?? "";
          if (FunctionName.includes("MigrateFunction")) values.Migrations = { NAME: FunctionName };
          if (FunctionName.includes("RetainFunction")) values["Retention behind"] = { NAME: FunctionName };
        }
      return values;
    }

    async function removeCopies(): Promise<void> {
      const { BackupSummaries = [] } = await dynamodb.send(new ListBackupsCommand({}));
      for (const { BackupArn, BackupName } of BackupSummaries)
        if (BackupName === "audit-evidence") await dynamodb.send(new DeleteBackupCommand({ BackupArn }));
      await dynamodb.send(new DeleteTableCommand({ TableName: "audit-before" }));
    }
  },
);
