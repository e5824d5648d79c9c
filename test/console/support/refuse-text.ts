import { randomUUID } from "node:crypto";
import type { TestRuntime } from "../../support/runtime.ts";

/** Lets the database refuse events that have a text in their data. @returns the function that ends it */
export async function refuseText(
  { query }: Pick<TestRuntime, "query">,
  text: string,
  message = "refused by a test",
): Promise<() => Promise<void>> {
  const name = `refuse_${randomUUID().replaceAll("-", "")}`;
  await query(
    `create function ${name}() returns trigger language plpgsql as $$ begin raise exception '${message}' using errcode = '22P05'; end $$`,
  );
  await query(
    `create trigger ${name} before insert on events for each row when (position('${text}' in new.data::text) > 0) execute function ${name}()`,
  );
  return async () => void (await query(`drop function ${name}() cascade`));
}
