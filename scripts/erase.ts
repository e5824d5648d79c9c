import { Command } from "commander";
import { runCommand } from "../cli/run-command.ts";
import { addErase } from "./erase/erase-command.ts";

const command = new Command("npm run erase --").description(
  "Erases events of a stack from every place, and keeps them out.",
);

await runCommand(addErase(command));
