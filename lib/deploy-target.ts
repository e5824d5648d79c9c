import * as z from "zod";
import type { SluiceStackProps } from "./sluice-stack.ts";

/**
 * The properties of the stack that depend on where it is deployed, by the context value `target`: `aws` (the default), or
 * `localstack`, an emulator without Aurora, whose database the context value `database` describes.
 * @throws Error that names the known targets, or what `database` lacks
 */
export function deployTarget(context: (name: string) => unknown): Pick<SluiceStackProps, "database"> {
  const target = context("target") ?? "aws";
  switch (target) {
    case "aws":
      return {};
    case "localstack":
      return { database: readDatabase(context("database")) };
    default:
      throw new Error(`Unknown target ${JSON.stringify(target)}. Give one of aws, localstack with -c target=NAME.`);
  }
}

/** The context value `database`, which is JSON text because it comes from the command line. */
const databaseOfTarget = z.object({
  clusterArn: z.string().startsWith("arn:"),
  secretArn: z.string().startsWith("arn:"),
  databaseName: z.string().min(1),
  endpoint: z.url(),
});

function readDatabase(value: unknown) {
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
    .pipe(databaseOfTarget)
    .safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `The target localstack needs -c database='{"clusterArn","secretArn","databaseName","endpoint"}', which \`npm run localstack -- deploy\` gives. ${z.prettifyError(parsed.error)}`,
  );
}
