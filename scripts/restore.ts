import { Command } from "commander";
import { runCommand } from "../cli/run-command.ts";
import { addRestore } from "./archive/restore-command.ts";

const command = new Command("npm run restore --").description(
  "Brings archived events of a stack back, among the live ones or beside them.",
);

await runCommand(addRestore(command));
