import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Imports that the layers allow, by the file that has them. An entry `type x` is an `import type`. */
const ALLOWED: Record<string, string[]> = {
  "functions/core/event.ts": ["./limits.ts", "zod", "zod/mini"],
  "functions/core/key.ts": ["./limits.ts", "node:crypto", "node:zlib"],
  "functions/routes/routes.ts": ["./route.ts", "../core/http.ts", "zod"],
  "functions/echo/echo.ts": ["./limits.ts", "./formats/json.ts", "../core/event.ts", "../routes/routes.ts", "zod/mini"],
  "functions/echo/wait.ts": ["node:crypto", "node:timers/promises"],
  "functions/echo/formats/json.ts": ["./xml.ts", "../echo.ts", "../../core/event.ts", "../../routes/routes.ts"],
  "functions/echo/protocols/events/decode.ts": [
    "./json.ts",
    "../inflate.ts",
    "../../candidate.ts",
    "../../../core/event.ts",
    "../../../routes/routes.ts",
    "zod",
  ],
  "functions/echo/handler.ts": [
    "./echo.ts",
    "../core/event.ts",
    "../routes/routes.ts",
    "../adapters/sqs/queue.ts",
    "uuid",
  ],
  "functions/adapters/sqs/queue.ts": ["./calls.ts", "../lambda/environment.ts", "../../core/ports.ts", "@aws-sdk/x"],
  "functions/adapters/lambda/http.ts": ["type ../../routes/routes.ts", "#event-types", "type aws-lambda"],
  "lib/echo.ts": [
    "./api.ts",
    "../functions/core/limits.ts",
    "../functions/core/queue-limits.ts",
    "aws-cdk-lib/aws-sqs",
  ],
  "lib/access.ts": ["../functions/core/access-tables.ts", "type ../functions/adapters/lambda/environment-schemas.ts"],
  "lib/read.ts": [
    "../functions/core/attributes.ts",
    "../functions/core/catalog.ts",
    "../functions/core/data-schema.ts",
    "../functions/core/database-roles.ts",
  ],
  "lib/api.ts": ["../functions/core/errors.ts", "../functions/core/functions.ts", "../functions/core/metric-names.ts"],
  "lib/queue.ts": ["../functions/echo/limits.ts", "../functions/routes/routes.ts"],
  "lib/common.ts": ["type ../functions/adapters/lambda/environment-schemas.ts"],
  "bin/sluice.ts": ["../lib/stack.ts", "aws-cdk-lib"],
  "cli/npm.ts": ["./check-words.ts", "node:path", "commander"],
  "console/main.tsx": [
    "./app.tsx",
    "preact",
    "preact/hooks",
    "@preact/signals",
    "uplot",
    "../functions/core/scopes.ts",
  ],
  "console/screens/events.tsx": ["./events/table.tsx", "../parts/chart.tsx", "../../functions/core/lossless-json.ts"],
  "console/screens/events/table.tsx": [
    "./row.tsx",
    "../types.tsx",
    "../../parts/chart.tsx",
    "../../../functions/core/filter/x.ts",
  ],
  "localstack/start.ts": ["./sqs/sqs.ts", "../cli/run-command.ts", "fauxqs"],
  "localstack/sqs/sqs.ts": ["./child.ts", "../lambda/invoke.ts", "../../cli/npm.ts"],
  "catalog/order.ts": ["zod", "./parts/money.ts"],
  "catalog/parts/price.ts": ["zod", "./money.ts"],
  "scripts/send.ts": [
    "./stack-address.ts",
    "../cli/run-command.ts",
    "../functions/core/event.ts",
    "../functions/replay/edit.ts",
    "../functions/routes/routes.ts",
  ],
  "scripts/dead-letters/list.ts": [
    "./filter.ts",
    "../stack-address.ts",
    "../../cli/run-command.ts",
    "../../functions/core/event.ts",
    "commander",
  ],
  "scripts/generate.ts": ["../functions/api-docs/openapi.ts"],
  "bench/bench.ts": [
    "./plot.ts",
    "./store/steps.ts",
    "../functions/core/event.ts",
    "../cli/run-command.ts",
    "commander",
  ],
  "bench/store/steps.ts": [
    "./copy.ts",
    "../plot.ts",
    "../pipeline/load.ts",
    "../../functions/adapters/sqs/queue.ts",
    "../../lib/bundle.ts",
    "../../catalog/order.ts",
    "../../localstack/runtime.ts",
    "../../cli/run-command.ts",
  ],
  "test/unit/x.ts": ["../../functions/echo/echo.ts", "../../bench/page.ts", "../../lib/api.ts"],
};

const FORBIDDEN: Record<string, string[]> = {
  "functions/core/batch.ts": [
    "../echo/echo.ts",
    "type ../adapters/sqs/queue.ts",
    "../routes/routes.ts",
    "node:fs",
    "uuid",
  ],
  "functions/core/http.ts": ["type aws-lambda", "@aws-sdk/x", "../../lib/api.ts", "../../catalog/order.ts"],
  "functions/routes/route.ts": ["../echo/echo.ts", "../adapters/sqs/queue.ts", "uuid", "../../lib/api.ts"],
  "functions/echo/other.ts": [
    "../query/query.ts",
    "type ../adapters/sqs/queue.ts",
    "uuid",
    "@aws-sdk/x",
    "type aws-lambda",
  ],
  "functions/echo/outside.ts": [
    "../../lib/api.ts",
    "../../scripts/x.ts",
    "../../cli/x.ts",
    "../../bench/x.ts",
    "../../catalog/order.ts",
  ],
  "functions/echo/formats/xml.ts": [
    "../../query/query.ts",
    "../../adapters/sqs/queue.ts",
    "../../../lib/api.ts",
    "uuid",
  ],
  "functions/echo/protocols/events/json.ts": [
    "../../../query/query.ts",
    "../../../adapters/sqs/queue.ts",
    "../../../../lib/api.ts",
    "uuid",
  ],
  "functions/query/handler.ts": [
    "../echo/echo.ts",
    "../../lib/api.ts",
    "../../localstack/runtime.ts",
    "../../test/x.ts",
  ],
  "functions/adapters/sqs/calls.ts": ["../../echo/echo.ts", "type ../../echo/echo.ts", "../../routes/routes.ts"],
  "functions/adapters/files/read.ts": ["../../../lib/api.ts", "../../../catalog/order.ts", "../../../test/x.ts"],
  "lib/ingest.ts": ["../functions/echo/echo.ts", "../functions/core/event.ts", "../functions/core/ports.ts"],
  "lib/stack.ts": ["../functions/adapters/lambda/environment.ts", "type ../functions/adapters/sqs/queue.ts"],
  "lib/target.ts": [
    "../localstack/runtime.ts",
    "../scripts/x.ts",
    "../cli/x.ts",
    "../bench/x.ts",
    "../test/x.ts",
    "../catalog/order.ts",
  ],
  "bin/other.ts": ["../functions/core/limits.ts", "../localstack/runtime.ts", "../cli/x.ts"],
  "cli/command.ts": ["../functions/core/limits.ts", "../scripts/x.ts", "../localstack/x.ts"],
  "catalog/parts/unit.ts": ["../order.ts", "../../functions/core/event.ts", "node:fs", "uuid"],
  "catalog/reading.ts": ["./order.ts", "../functions/core/event.ts", "node:fs", "uuid"],
  "console/app.tsx": [
    "../functions/routes/routes.ts",
    "../functions/console/console.ts",
    "../lib/bundle-page.ts",
    "../catalog/order.ts",
    "node:crypto",
    "zod",
    "uuid",
  ],
  "console/parts/chart.tsx": ["../../functions/adapters/http/post.ts", "../../cli/x.ts", "../../test/x.ts", "react"],
  "console/parts/table/row.tsx": ["../../../functions/routes/routes.ts", "../../../lib/api.ts", "node:fs"],
  "functions/echo/page.ts": ["../../console/app.tsx"],
  "functions/core/page.ts": ["../../console/app.tsx"],
  "lib/page.ts": ["../console/main.tsx"],
  "localstack/page.ts": ["../console/main.tsx"],
  "scripts/page.ts": ["../console/route.ts"],
  "bench/view.ts": ["../console/route.ts"],
  "localstack/runtime.ts": ["../functions/core/limits.ts", "../lib/api.ts", "../test/x.ts"],
  "localstack/lambda/invoke.ts": ["../../functions/core/limits.ts", "../../scripts/x.ts"],
  "localstack/lambda/log/line.ts": ["../../../functions/core/limits.ts", "../../../bench/x.ts"],
  "scripts/read.ts": [
    "../functions/echo/echo.ts",
    "../functions/adapters/sqs/queue.ts",
    "../lib/api.ts",
    "../localstack/x.ts",
  ],
  "scripts/dead-letters/filter.ts": ["../../functions/ingest/ingest.ts", "../../lib/api.ts", "../../test/x.ts"],
  "bench/page.ts": ["../test/x.ts", "../bin/sluice.ts", "../scripts/x.ts"],
  "bench/store/copy.ts": ["../../test/x.ts", "../../bin/sluice.ts", "../../scripts/x.ts"],
  "bench/store/copy/row.ts": ["../../../test/x.ts", "../../../bin/sluice.ts"],
};

const statement = (entry: string, index: number) => {
  const [, type = "", from = ""] = /^(type )?(.*)$/.exec(entry) ?? [];
  return `export ${type}{ x as x${index} } from "${from}";\n`;
};

let folder: string;
/** The lines that the linter refused, by file. */
const refused = new Map<string, string[]>();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-layers-"));
  for (const [file, imports] of Object.entries({ ...ALLOWED, ...FORBIDDEN })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), imports.map(statement).join(""));
  }
  copyFileSync(".oxlintrc.json", join(folder, ".oxlintrc.json"));
  const { stdout } = spawnSync(resolve("node_modules/.bin/oxlint"), ["-f", "json"], { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
  };
  for (const { code, filename, labels } of diagnostics) {
    if (code !== "eslint(no-restricted-imports)") continue;
    const entry = { ...ALLOWED, ...FORBIDDEN }[filename]?.[(labels[0]?.span.line ?? 0) - 1] ?? "";
    refused.set(filename, [...new Set([...(refused.get(filename) ?? []), entry])]);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the layers of the linter", () => {
  it.each(Object.keys(ALLOWED))("allow every listed import of %s", (file) => {
    expect(refused.get(file) ?? []).toEqual([]);
  });

  it.each(Object.entries(FORBIDDEN))("refuse every listed import of %s", (file, imports) => {
    expect(refused.get(file)?.toSorted()).toEqual(imports.toSorted());
  });
});
