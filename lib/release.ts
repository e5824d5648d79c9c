import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Lazy, Stack } from "aws-cdk-lib";
import { CfnFunction } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";

/** The variables of a function that says which release runs: the version of Sluice, and a digest of the code of all functions. */
export function release(scope: Construct): { VERSION: string; BUILD: string } {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  return { VERSION: version, BUILD: Lazy.string({ produce: () => buildOf(Stack.of(scope)) }) };
}

const BUILD_CHARACTERS = 12;

function buildOf(stack: Stack): string {
  const code = stack.node
    .findAll()
    .filter((each) => each instanceof CfnFunction)
    .map(({ code: each }) => JSON.stringify(stack.resolve(each)));
  return createHash("sha256").update(code.toSorted().join("\n")).digest("hex").slice(0, BUILD_CHARACTERS);
}
