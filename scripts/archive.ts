import { Command } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { userPath } from "../cli/npm.ts";
import { pluralize } from "../cli/pluralize.ts";
import { startProgress } from "../cli/progress.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { parseFilter } from "../functions/core/filter/filter.ts";
import { toPredicate } from "../functions/core/filter/predicate.ts";
import { isJsonObject, parseLossless } from "../functions/core/lossless-json.ts";
import { type ArchiveScope, findManifest, listManifests, readPart } from "../functions/core/read-archive.ts";
import { RETENTIONS } from "../functions/core/retention.ts";
import { print, printJson, printRows } from "./access/output.ts";
import { type ArchiveLocation, openArchive } from "./archive/open-archive.ts";
import { addRestore } from "./archive/restore-command.ts";
import { verify } from "./archive/verify.ts";
import { type FilterOptions, toFilter } from "./export/to-filter.ts";

type Options = ArchiveLocation & ArchiveScope & FilterOptions & { json?: true };

const command = new Command("npm run archive --").description(
  "Lists, verifies and reads the archive of a stack, in its bucket or in a copy of it in a folder.",
);

function add(name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .option("--bucket <name>", "the bucket, with the AWS credentials of the shell")
    .option("--folder <path>", "a copy of the bucket", (path: string) => userPath(path))
    .option("--endpoint <url>", "S3 on this machine, in place of AWS")
    .option("--tenant <name>", "of this tenant")
    .option("--retention <class>", `of this class: ${RETENTIONS.join(", ")}`)
    .option("--from <day>", "from this UTC day of the receipt on, for example 2026-11-29")
    .option("--to <day>", "to this day, which is in it");
}

add("ls", "lists the manifests with their events and bytes")
  .option("--json", "one JSON document")
  .action(async (options: Options) => {
    const files = openArchive(options);
    const rows = [];
    for await (const key of listManifests(files, options)) {
      const { parts, ...manifest } = await findManifest(files, key);
      rows.push({ key, ...manifest, parts: parts.length });
    }
    printRows(rows, {
      json: options.json,
      head: ["MANIFEST", "EVENTS", "BYTES", "PARTS"],
      cells: ({ key, rows: events, bytes, parts }) => [key, String(events), String(bytes), String(parts)],
    });
  });

add("verify", "reads every file and compares it with its manifest; names each that was changed or is missing")
  .option("--json", "one JSON document")
  .action(async (options: Options) => {
    const progress = startProgress(undefined, "bytes");
    const found = await verify(openArchive(options), options, (bytes) => progress.advance(bytes)).finally(() =>
      progress.stop(),
    );
    if (found.faults.length > 0) process.exitCode = exitCodes.incomplete;
    if (options.json) return printJson(found);
    for (const fault of found.faults) print(fault);
    print(
      `${pluralize(found.manifests, "manifest")}, ${pluralize(found.parts, "part")}, ${pluralize(found.rows, "event")}: ${found.faults.length === 0 ? "all as written" : pluralize(found.faults.length, "fault")}`,
    );
  });

add("cat", "prints events, one JSON a line, each part after it was compared with its manifest")
  .option("--type <types...>", "events of these types, in full or as com.example.*")
  .option("--source <sources...>", "the same for sources")
  .option("--filter <json>", "events that a filter matches; docs/filters.md has the language")
  .action(async (options: Options) => {
    const files = openArchive(options);
    const signal = onInterrupt();
    const filter = toFilter(options);
    const test = filter && toPredicate(parseFilter(filter));
    for await (const key of listManifests(files, options)) {
      const manifest = await findManifest(files, key);
      for (const part of manifest.parts) {
        if (signal.aborted) return;
        for (const line of await readPart(files, manifest, part))
          if (test === undefined || matches(line, test)) print(line);
      }
    }
  });

function matches(line: string, test: ReturnType<typeof toPredicate>): boolean {
  const event = parseLossless(line).lossless;
  return isJsonObject(event) && test(event);
}

addRestore(
  command
    .command("restore")
    .description("brings events of the archive of a running stack back, as `npm run restore` does"),
);

await runCommand(command);
