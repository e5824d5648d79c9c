import { KEY_HASH, KEY_ID } from "./bench-key.ts";

/** Replaces `@aws-sdk/client-dynamodb` in the measured bundle with tables that have one key and its tenant. */
export class DynamoDBClient {
  readonly config = {};

  send({ input }: GetItemCommand): Promise<{ Item?: object }> {
    const { pk } = input.Key ?? {};
    return Promise.resolve({ Item: pk?.S === `key#${KEY_ID}` ? KEY_ITEM : TENANT_ITEM });
  }
}

const CREATED_AT = { S: "2026-11-29T10:00:00.000Z" };

const KEY_ITEM = {
  id: { S: KEY_ID },
  hash: { S: KEY_HASH },
  tenant: { S: "default" },
  role: { S: "producer" },
  createdBy: { S: "deployer" },
  createdAt: CREATED_AT,
};

const TENANT_ITEM = { tenant: { S: "default" }, state: { S: "active" }, createdAt: CREATED_AT };

class Command {
  readonly input: { Key?: { pk?: { S?: string } } };

  constructor(input: Command["input"]) {
    this.input = input;
  }
}

export class GetItemCommand extends Command {}
export class UpdateItemCommand extends Command {}
export class PutItemCommand extends Command {}
export class BatchGetItemCommand extends Command {}
export class ConditionalCheckFailedException extends Error {}
