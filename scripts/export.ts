import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { onInterrupt } from "../cli/interrupt.ts";
import { userPath } from "../cli/npm.ts";
import { startProgress } from "../cli/progress.ts";
import { exitCodes, runCommand } from "../cli/run-command.ts";
import { shellWord } from "../cli/shell-word.ts";
import { EXPORT_FORMATS, type ExportFormat } from "../functions/core/export-job.ts";
import { createApiClient } from "./access/api-client.ts";
import { print, printJson } from "./access/output.ts";
import { download } from "./export/download.ts";
import { createExportsApi, type Export, type ExportsApi } from "./export/exports-api.ts";
import { type FilterOptions, toFilter } from "./export/to-filter.ts";
import { waitUntilFinished } from "./export/wait-until-finished.ts";
import { findKey } from "./send/find-key.ts";
import { addStackOptions, findStackAddress, stackFlags, type StackOptions } from "./stack-address.ts";

type Options = StackOptions &
  FilterOptions & {
    from?: string;
    to?: string;
    format: ExportFormat;
    select?: string[];
    out?: string;
    tenant?: string;
    plan?: true;
    resume?: string;
    cancel?: string;
    json?: true;
  };

const command = new Command("npm run export --")
  .description("Writes stored events into files, downloads them, and compares them with the manifest.")
  .option("--type <types...>", "events of these types, in full or as com.example.*")
  .option("--source <sources...>", "the same for sources")
  .option("--filter <json>", "events that a filter matches; docs/filters.md has the language")
  .option("--from <instant>", "events received from then on, for example 2026-11-29T00:00:00Z")
  .option("--to <instant>", "events received before")
  .addOption(new Option("--format <format>", "the files").choices(EXPORT_FORMATS).default("ndjson"))
  .option("--select <members...>", "members of events: the columns of CSV, for example id data.total")
  .option("--out <folder>", "where the files go (default: a folder named after the export)", (text: string) =>
    userPath(text),
  )
  .option("--tenant <name>", "the tenant, where the key is one of the installation")
  .addOption(new Option("--plan", "says about how many events there would be, and starts nothing").conflicts(["out"]))
  .addOption(new Option("--resume <id>", "goes on with an export that was started").conflicts(["plan"]))
  .addOption(new Option("--cancel <id>", "ends an export that is not finished").conflicts(["plan", "resume", "out"]))
  .option("--json", "one JSON document");
addStackOptions(command)
  .addHelpText(
    "after",
    `
The key is read from the environment variable SLUICE_API_KEY; without it, the local runtime's own is taken.

Ctrl-C leaves the export running and says how to go on with it.

Exit codes: 0 done, 1 the export failed, was cancelled or is not finished yet, 2 refused or not possible.`,
  )
  .action(runExport);

async function runExport(options: Options): Promise<void> {
  const { url, apiKey } = findStackAddress(options);
  const api = createExportsApi(createApiClient(url, findKey(apiKey)), options.tenant);
  if (options.cancel !== undefined) return printState(await api.cancel(options.cancel), options);
  const { from, to, format, select } = options;
  const filter = toFilter(options);
  const body = { filter, from, to, format, select };
  if (options.plan) {
    const plan = await api.plan(body);
    if (options.json) return printJson(plan);
    print(`${RELATIONS[plan.relation]}${plan.rows} events`);
    return;
  }
  // Before the start: Ctrl-C must never end the command between the start of the export and its id.
  const signal = onInterrupt();
  const { id } = options.resume === undefined ? await api.start(body) : { id: options.resume };
  const folder = options.out ?? resolve(id);
  const again = `npm run export -- --resume ${id} --out ${shellWord(folder)}${options.tenant === undefined ? "" : ` --tenant ${options.tenant}`}${stackFlags(options)}`;
  if (options.resume === undefined) process.stderr.write(`Export ${id}\n`);

  const progress = startProgress(undefined, "events");
  const found = await waitUntilFinished(api, id, { progress, signal })
    .catch((error: unknown) => {
      process.stderr.write(`The export goes on without this command. To download it: ${again}\n`);
      throw error;
    })
    .finally(() => progress.stop());
  if (found.state === "queued" || found.state === "running") {
    process.stderr.write(`The export goes on. To download it: ${again}\n`);
    process.exitCode = exitCodes.incomplete;
    return;
  }
  if (found.state !== "done") return printState(found, options);
  if (found.filesExpiredAt !== undefined)
    throw new Error(`Its files were deleted at ${found.filesExpiredAt}. Export again.`);
  if (await fetchFiles(api, found, folder, signal)) return printState(found, options, folder);
  process.stderr.write(`Not all files are there. To go on: ${again}\n`);
  process.exitCode = exitCodes.incomplete;
}

const RELATIONS = { exact: "", gte: "At least ", estimate: "About " };

/** Downloads and compares all files; the manifest comes last. Returns false after Ctrl-C. */
async function fetchFiles(api: ExportsApi, found: Export, folder: string, signal: AbortSignal): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const files = [...(await api.files(found.id)).values()];
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  if (rows !== found.rows) throw new Error(`The files have ${rows} events and the export has ${found.rows}.`);
  const progress = startProgress(found.bytes, "bytes");
  try {
    const urlOf = createLinks(api, found.id);
    for (const { url: _url, ...part } of files) {
      if (!(await download(part, { folder, format: found.format, urlOf, signal }))) return false;
      progress.advance(part.bytes);
    }
  } finally {
    progress.stop();
  }
  const response = await fetch((await api.read(found.id)).manifest?.url ?? "", { signal });
  if (!response.ok)
    throw new Error(`The manifest could not be downloaded: HTTP ${response.status}. Run the command again.`);
  await writeFile(join(folder, "manifest.json"), await response.text(), { mode: 0o600 });
  return true;
}

/** The links of files, asked for again before they end. */
function createLinks(api: ExportsApi, id: string): (name: string) => Promise<string> {
  let links = new Map<string, { url: string }>();
  let askedAt = Number.NEGATIVE_INFINITY;
  return async (name) => {
    if (Date.now() - askedAt > LINKS_FRESH_MS) {
      askedAt = Date.now();
      links = await api.files(id);
    }
    return links.get(name)?.url ?? "";
  };
}

/** Links live for a quarter of an hour. */
const LINKS_FRESH_MS = 600_000;

function printState(found: Export, { json }: Options, folder?: string): void {
  const { id, state, rows, bytes, detail } = found;
  if (state === "failed") process.exitCode = exitCodes.incomplete;
  const { files: _files, manifest: _manifest, ...shown } = found;
  if (json) return printJson({ ...shown, folder });
  const where = folder === undefined ? "" : ` in ${folder}`;
  print(`${id} ${state}: ${rows} events, ${bytes} bytes${where}${detail === undefined ? "" : `. ${detail}`}`);
}

await runCommand(command);
