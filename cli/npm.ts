import { relative, resolve, sep } from "node:path";
import type { Command } from "commander";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether npm runs this very process as a script of package.json. The variables of npm are inherited, so a command that
 * such a script starts has them too.
 * @see https://docs.npmjs.com/cli/v11/using-npm/scripts
 */
function isRunByNpm(environment: Environment): boolean {
  // npm writes the script as package.json has it, on every system.
  const script = relative(process.cwd(), process.argv[1] ?? "").replaceAll(sep, "/");
  return (environment["npm_lifecycle_script"] ?? "").split(" ").includes(script);
}

/**
 * The full path of a file or folder that the user names. npm runs a script in the folder of package.json and says in
 * INIT_CWD where the user stands.
 */
export function userPath(path: string, environment: Environment = process.env): string {
  const standsIn = isRunByNpm(environment) ? environment["INIT_CWD"] : undefined;
  return resolve(standsIn ?? process.cwd(), path);
}

/**
 * The error of an option that stands in front of npm's own `--`: npm keeps it as a setting of its own, and the command
 * would run without it. `npm run replay --dry-run` would replay. Undefined where there is none.
 */
export function swallowedByNpm(command: Command, environment: Environment): string | undefined {
  if (!isRunByNpm(environment)) return undefined;
  for (const each of [command, ...command.commands]) {
    const names = each.options.map((option) => option.name());
    const taken = names.find((name) => (environment[`npm_config_${name.replaceAll("-", "_")}`] ?? "") !== "");
    if (taken === undefined) continue;
    const words = each === command ? command.name() : `${command.name()} ${each.name()}`;
    return (
      `npm keeps --${taken} for itself. Write the options behind two dashes: ${words} --${taken} … ` +
      `(If you did, take the setting ${taken} out of npm's own configuration.)`
    );
  }
  return undefined;
}
