import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { AccessError, type AuditEntry, type AuditHead, type AuditLog } from "../../core/access.ts";
import { chainEntry, EMPTY_HEAD, headFault, NO_HEAD } from "../../core/audit.ts";
import { HEAD, toEntry, toHead } from "./audit-items.ts";
import { answered, isMet } from "./client.ts";
import { type Item, toItem } from "./items.ts";

/** Each failed attempt means that another entry was written meanwhile; changes of one tenant are rare. */
const MAX_ATTEMPTS = 50;

/**
 * Keeps the audit log in the table `audit`, without transactions: the entry after the head is put where none is, and the
 * head is moved to it. Of two writers of one entry the second one finds the first one's, moves the head to that, and writes
 * the entry after it. So a process that ended between the two steps leaves the head one entry behind, and no more. The head
 * is put before the first entry, so a chain without a head is one whose head was removed.
 */
export function createAuditLog({ client, table }: { client: DynamoDBClient; table: string }): AuditLog {
  const keyOf = (tenant: string, number: number): Item => ({ tenant: { S: tenant }, number: { N: String(number) } });

  const get = async (tenant: string, number: number): Promise<Item | undefined> => {
    const command = new GetItemCommand({ TableName: table, Key: keyOf(tenant, number), ConsistentRead: true });
    return (await answered(client.send(command))).Item;
  };

  const readHead = async (tenant: string): Promise<AuditHead> => toHead(await get(tenant, HEAD));

  const readEntries = async (tenant: string, after: number, limit: number): Promise<AuditEntry[]> => {
    const { Items: items = [] } = await answered(
      client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "#tenant = :tenant AND #number > :after",
          ExpressionAttributeNames: { "#tenant": "tenant", "#number": "number" },
          ExpressionAttributeValues: { ":tenant": { S: tenant }, ":after": { N: String(after) } },
          Limit: limit,
        }),
      ),
    );
    return items.map(toEntry);
  };

  /** Puts an item where none is. */
  const put = (item: Item): Promise<boolean> =>
    isMet(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: item,
          ConditionExpression: "attribute_not_exists(#number)",
          ExpressionAttributeNames: { "#number": "number" },
        }),
      ),
    );

  const putEntry = ({ tenant, number, ...rest }: AuditEntry) => put({ ...keyOf(tenant, number), ...toItem(rest) });

  const headItem = (tenant: string, { number, hash }: AuditHead): Item => ({
    ...keyOf(tenant, HEAD),
    last: { N: String(number) },
    hash: { S: hash },
  });

  /** Moves the head forward to an entry. Another writer may have moved it further. One that was removed is not put back. */
  const moveHead = ({ tenant, number, hash }: AuditEntry): Promise<boolean> =>
    isMet(
      client.send(
        new PutItemCommand({
          TableName: table,
          Item: headItem(tenant, { number, hash }),
          ConditionExpression: "#last < :number",
          ExpressionAttributeNames: { "#last": "last" },
          ExpressionAttributeValues: { ":number": { N: String(number) } },
        }),
      ),
    );

  /** The head of a chain, which a chain without entries gets here. @throws AccessError for one that was changed or removed */
  const openHead = async (tenant: string): Promise<AuditHead> => {
    let head = await readHead(tenant);
    if (head.hash === NO_HEAD.hash) {
      const [entry] = await readEntries(tenant, HEAD, 1);
      if (entry === undefined) await put(headItem(tenant, EMPTY_HEAD));
      // Another writer may have put it, and an entry.
      head = await readHead(tenant);
    }
    const fault = headFault(head);
    if (fault !== undefined) throw damaged(tenant, fault);
    return head;
  };

  return {
    async append(fields) {
      const { tenant } = fields;
      let head = await openHead(tenant);
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const entry = chainEntry(head, fields);
        const isNew = await putEntry(entry);
        const found = isNew ? undefined : await get(tenant, entry.number);
        if (!isNew && found === undefined) throw damaged(tenant, `entry ${entry.number} was removed just now`);
        const present = found === undefined ? entry : toEntry(found);
        // The entry may be its own, put by an attempt of the SDK whose answer was lost.
        const isOwn = present.hash === entry.hash;
        // The entry after it was written when the head was at this one or further on, unless somebody moved the head back.
        if (!isOwn && (await get(tenant, entry.number + 1)) !== undefined) {
          const moved = await openHead(tenant);
          if (moved.number <= head.number) {
            throw damaged(tenant, `its head names entry ${moved.number}, and there is an entry ${entry.number + 1}`);
          }
          head = moved;
          continue;
        }
        await moveHead(present);
        if (isOwn) return entry;
        head = present;
      }
      throw new AccessError(`The audit log of a tenant had another writer ${MAX_ATTEMPTS} times.`);
    },

    async read(tenant, after, limit) {
      const head = await readHead(tenant);
      return { entries: await readEntries(tenant, after, limit), head };
    },
  };
}

function damaged(tenant: string, what: string): AccessError {
  return new AccessError(
    `The audit log of ${tenant} was changed: ${what}. Its changes stop until an operator has looked (docs/runbook.md, Audit log changed).`,
  );
}
