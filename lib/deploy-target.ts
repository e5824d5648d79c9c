import * as z from "zod";
import { ExternalDatabase } from "./external-database.ts";
import type { SluiceStackProps } from "./sluice-stack.ts";

/**
 * What differs between the places a stack is deployed to, chosen by the context value `target`: `aws` (the default), or
 * `localstack`, an emulator without Aurora, whose database is told by the context value `database`.
 * @throws Error that names the targets there are, or what `database` lacks
 */
export function targetProps(context: (name: string) => unknown): Pick<SluiceStackProps, "database"> {
  const target = context("target") ?? "aws";
  switch (target) {
    case "aws":
      return {};
    case "localstack": {
      const database = databaseOf(context("database"));
      return { database: (scope) => new ExternalDatabase(scope, "Database", database) };
    }
    default:
      throw new Error(`Unknown target ${JSON.stringify(target)}. Give one of aws, localstack with -c target=NAME.`);
  }
}

/** On the command line a context value is text. */
const outsideDatabase = z.object({
  clusterArn: z.string().startsWith("arn:"),
  secretArn: z.string().startsWith("arn:"),
  databaseName: z.string().min(1),
  endpoint: z.url(),
});

function databaseOf(value: unknown) {
  const parsed = z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "is not JSON" });
        return z.NEVER;
      }
    })
    .pipe(outsideDatabase)
    .safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `The target localstack needs -c database='{"clusterArn","secretArn","databaseName","endpoint"}', which \`npm run localstack -- deploy\` gives. ${z.prettifyError(parsed.error)}`,
  );
}
