import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { checkWords } from "../../../cli/check-words.ts";

/** Parses words as a command of this repository does; returns what its action gets. */
function parse(...words: string[]): { operands: string[]; options: Record<string, unknown> } {
  const result = { operands: [] as string[], options: {} };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const show = program
    .command("show")
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  show
    .argument("<id>")
    .option("--id <id>", "", (value: string, before: string[] | undefined) => [...(before ?? []), value])
    .option("--by <fields...>")
    .option("--dry-run")
    .action((operand: string, options: object) => void Object.assign(result, { operands: [operand], options }));
  program.parse(checkWords(program, ["show", ...words]), { from: "user" });
  return result;
}

describe("the words of a command line", () => {
  it.each(["-OaBcD", "-1", "-h1", "-"])("%s is an id and no option", (id) => {
    expect(parse(id)).toEqual({ operands: [id], options: {} });
    expect(parse(id, "--dry-run")).toEqual({ operands: [id], options: { dryRun: true } });
    expect(parse("--id", id, "x")).toEqual({ operands: ["x"], options: { id: [id] } });
  });

  it("may have an id that looks like an option behind two dashes, or an equals sign", () => {
    expect(parse("--dry-run", "--", "--dry-run")).toEqual({ operands: ["--dry-run"], options: { dryRun: true } });
    expect(parse("--id=--dry-run", "x")).toEqual({ operands: ["x"], options: { id: ["--dry-run"] } });
  });

  it("may name an option with several values", () => {
    expect(parse("x", "--by", "type", "source")).toEqual({ operands: ["x"], options: { by: ["type", "source"] } });
    expect(parse("x", "--id", "1", "--id=2")).toEqual({ operands: ["x"], options: { id: ["1", "2"] } });
  });

  it("pass words on to another program in their order", () => {
    const program = new Command();
    const got: string[] = [];
    program
      .command("deploy")
      .argument("[words...]")
      .option("--data-dir <folder>")
      .allowUnknownOption()
      .action((words: string[]) => void got.push(...words));

    program.parse(checkWords(program, ["deploy", "-c", "stage=prod", "--data-dir", "x", "--force"]), { from: "user" });

    expect(got).toEqual(["-c", "stage=prod", "--force"]);
  });

  it.each([
    [["x", "--id", "--dry-run"], "--id needs a value, and --dry-run looks like an option"],
    [["x", "--id"], "--id needs a value"],
    [["x", "--id", ""], "--id needs a value; the one given is empty"],
    [["x", "--id="], "--id needs a value; the one given is empty"],
    [["x", "--dry-rum"], "unknown option '--dry-rum'"],
    [["x", "y"], "too many arguments"],
    [["x", "-y"], "too many arguments"],
  ])("%j are refused", (words, why) => {
    expect(() => parse(...words)).toThrow(why);
  });
});
