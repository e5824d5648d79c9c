import { devNull } from "node:os";
import { delimiter, dirname } from "node:path";

/**
 * This process's environment for the programs of the local stack, without the shell's settings for other programs: AWS
 * accounts, the CDK, other databases, Node's options, proxies. The programs speak to this machine only.
 */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !MEANT_FOR_OTHERS.test(name)));
}

/**
 * The same for programs that start `node` and use AWS SDKs: they find the Node that runs this process, and no AWS
 * configuration in the user's home.
 */
export function commandEnvironment(): NodeJS.ProcessEnv {
  return {
    ...childEnvironment(),
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

/**
 * `PG…` changes the server too: PostgreSQL takes `PGDATESTYLE` and `PGCLIENTENCODING` as its own settings
 * (src/backend/utils/misc/guc.c, InitializeGUCOptionsFromEnvironment). Node's compile cache stays: it is only a folder.
 */
const MEANT_FOR_OTHERS = /^(?:(?:AWS|CDK)_|PG|NODE_(?!COMPILE_CACHE$)|\w+_PROXY$)/i;
