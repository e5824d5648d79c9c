import { readFileSync } from "node:fs";

type Command = { section: string; text: string };

/** The values of the names in capitals, by section; those of `everywhere` are the same in each. */
export type RunbookValues = Record<string, Record<string, string>>;

/** The commands of docs/runbook.md, by section: of npm, AWS's command line and SQL. */
export const runbookCommands: readonly Command[] = commandsOf(readFileSync("docs/runbook.md", "utf8"));

function commandsOf(markdown: string): Command[] {
  const commands: Command[] = [];
  let section = "";
  for (const [, heading, block, inline] of markdown.matchAll(/^## (.+)$|```\w*\n([^`]*)```|`([^`]+)`/gm)) {
    section = heading ?? section;
    const text = (block ?? inline ?? "").replaceAll(/\s*\\?\n\s*/g, " ").trim();
    if (/^(npm run (?!deploy)|aws |select )/.test(text)) commands.push({ section, text });
  }
  return commands;
}

/** Section and text of the commands that have a form, each once. */
export const commandsOfKind = (form: RegExp): [string, string][] =>
  [...new Set(runbookCommands.filter(({ text }) => form.test(text)).map((each) => JSON.stringify(each)))].map(
    (each) => {
      const { section, text } = JSON.parse(each) as Command;
      return [section, text];
    },
  );

/** Calls that no server of `npm start` answers; an emulator does. */
export const ONLY_AWS = /^aws (?:lambda|dynamodb (?:create-backup|restore-table-to-point-in-time)) /;

/** The command with the names in capitals replaced by what they stand for. @throws Error for one without a value */
export const fillIn = (values: RunbookValues, section: string, text: string): string =>
  text.replaceAll(/\b(?:ID|ARN|URL|TENANT|TABLE|NAME|FILE|FILTER|TIME|PID|NUMBER|HASH)\b/g, (name) => {
    const value = values[section]?.[name] ?? values["everywhere"]?.[name];
    if (value === undefined) throw new Error(`${section}: nothing is prepared for ${name} of ${text}`);
    return value;
  });
