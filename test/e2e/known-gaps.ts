import { findSession, type Session } from "../../localstack/emulator/session.ts";
import { versionOf } from "../../localstack/emulator/health.ts";
import type { Gap } from "./gaps.ts";
import { deployedTarget } from "./deployment.ts";

const PIPELINE = "test/e2e/pipeline.test.ts";

const MINISTACK_DECODES = {
  file: PIPELINE,
  reason:
    "hands path parameters to the function decoded, and takes an encoded slash for a separator; REST APIs of AWS hand over what was sent",
  link: "https://github.com/aws/aws-sam-cli/issues/771",
};

/** The gaps of a named emulator. A test in here must fail there: once it passes, the run fails until the row is deleted. */
const knownGaps: Record<Session["emulator"], Gap[]> = {
  ministack: [
    { test: "the pipeline > finds the id per%cent", ...MINISTACK_DECODES },
    { test: "the pipeline > finds the id ünï/code?#[]", ...MINISTACK_DECODES },
    { test: "the pipeline > finds the id %41", ...MINISTACK_DECODES },
    { test: "the pipeline > refuses the id %ff, which no event can have", ...MINISTACK_DECODES },
    {
      file: PIPELINE,
      test: "the pipeline > answers an unknown route in the shape of its own errors",
      reason: "keeps gateway responses, but answers a path without a route in its own words",
      link: "https://github.com/ministackorg/ministack/blob/main/ministack/services/apigateway_v1.py",
    },
  ],
  localstack: [
    {
      file: PIPELINE,
      test: "the pipeline > answers an unknown route in the shape of its own errors",
      reason: "keeps the status of a gateway response, but not its template",
      link: "https://github.com/localstack/localstack/blob/v4.14.0/localstack-core/localstack/services/apigateway/next_gen/execute_api/handlers/gateway_exception.py",
    },
  ],
  other: [],
};

/** Nobody has looked for gaps in other versions of LocalStack. */
export function gapsOf(emulator: Session["emulator"], version: string | undefined): Gap[] {
  if (emulator === "localstack" && version?.startsWith("4.14.") !== true) return [];
  return knownGaps[emulator];
}

/** The gaps of the emulator that the tests run on; none of AWS, nor of the runtime on this machine. */
export async function gapsHere(): Promise<Gap[]> {
  const deployment = deployedTarget();
  if (deployment === undefined || deployment.outputs !== undefined) return [];
  const session = await findSession(deployment.dataDir);
  return session === undefined ? [] : gapsOf(session.emulator, await versionOf(session.endpoint));
}
