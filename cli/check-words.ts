import type { Command } from "commander";

/**
 * Checks the words of a command line before commander reads them, and returns them in an order that it reads as they are
 * meant. No command has options of a single character, so `-OaBcD` is an id and no option; it goes behind `--`. Words that
 * a command passes on to another program stay as they are.
 * @throws Error for an option without its value: commander would take the next option for it
 */
export function checkWords(program: Command, words: readonly string[]): string[] {
  const command = program.commands.find((each) => each.name() === words[0]) ?? program;
  const options = [...program.options, ...command.options];
  const passesOn = command.registeredArguments.some(({ variadic }) => variadic);
  const checked: string[] = [];
  const operands: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      operands.push(...words.slice(at + 1));
      break;
    }
    const [name, ownValue] = splitOnce(word);
    const takesValue = options.some((option) => option.required && option.long === name);
    if (takesValue) {
      const value = ownValue ?? words[++at];
      checkValue(name, value, ownValue !== undefined);
      checked.push(...(ownValue === undefined ? [name, value] : [word]));
    } else if (/^-[^-]/.test(word) && word !== "-h" && !passesOn) operands.push(word);
    else checked.push(word);
  }
  return operands.length === 0 ? checked : [...checked, "--", ...operands];
}

function splitOnce(word: string): [string, string?] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function checkValue(name: string, value: string | undefined, isOwn: boolean): asserts value is string {
  if (value === undefined) throw new Error(`${name} needs a value.`);
  if (value === "") throw new Error(`${name} needs a value; the one given is empty.`);
  if (!isOwn && value.startsWith("--"))
    throw new Error(
      `${name} needs a value, and ${value} looks like an option. If it is the value, write ${name}=${value}`,
    );
}
