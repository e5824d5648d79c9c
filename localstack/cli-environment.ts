import { delimiter, dirname } from "node:path";

/** This process's environment without the user's settings for AWS and the CDK, which mean another account than the local one. */
export function withoutAws(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AWS|CDK)_/.test(name)));
}

/** The same for programs that start `node` themselves: they find the Node that runs this process. */
export function cliEnvironment(): NodeJS.ProcessEnv {
  return { ...withoutAws(), PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter) };
}
