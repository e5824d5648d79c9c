import { describe, expect, it } from "vitest";
import * as z from "zod";
import { toEntry } from "../../../functions/adapters/dynamodb/audit-items.ts";
import { toItem } from "../../../functions/adapters/dynamodb/items.ts";
import { chainEntry, EMPTY_HEAD, verifyChain } from "../../../functions/core/audit.ts";
import type { ApiClient } from "../../../scripts/access/api-client.ts";
import { readChain } from "../../../scripts/access/read-chain.ts";
import { auditSample } from "../../support/access-samples.ts";

const written = chainEntry(EMPTY_HEAD, auditSample({ details: { role: "reader" } }));

/** The API over a log of one entry, whose details somebody may have edited in the table. */
function apiOver(details: string): Pick<ApiClient, "call"> {
  const { tenant, number, ...rest } = written;
  const item = { ...toItem(rest), tenant: { S: tenant }, number: { N: String(number) }, details: { S: details } };
  const page = { tenant, entries: [toEntry(item)], head: { number, hash: written.hash } };
  return {
    call: async ({ query = {} }, schema) =>
      z.parse(schema, JSON.parse(JSON.stringify(query["after"] === 0 ? page : { ...page, entries: [] })) as unknown),
  };
}

const verify = async (details: string) => {
  const { entries, head } = await readChain(apiOver(details), { tenant: undefined });
  return verifyChain(entries, head);
};

describe("a chain as the command reads it", () => {
  it("is that of the table, where nobody has changed it", async () => {
    expect(await verify('{"role":"reader"}')).toBeUndefined();
  });

  it.each([
    '{"role":"reader","__proto__":{"role":"admin"}}',
    '{"role":"reader","__proto__":"x"}',
    '{"role":"reader","constructor":{"a":1}}',
    '{"role":"reader","toString":null}',
    "{}",
  ])("has every member that somebody wrote into the details of an entry: %s", async (details) => {
    expect(await verify(details)).toMatchObject({ kind: "edited", number: 1 });
  });
});
