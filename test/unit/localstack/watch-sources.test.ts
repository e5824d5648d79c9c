import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { snapshotSources, watchSources } from "../../../localstack/watch-sources.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, "catalog"));
  await save("first");
});
afterEach(() => folder.remove());

const save = (content: string, name = "order.ts") => writeFile(join(folder.path, "catalog", name), content);

/** Watches from a snapshot on, and resolves when the first change is reported. */
async function changed(since: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watchSources(
    { projectDir: folder.path, since },
    async () => resolve(),
    () => undefined,
  );
  await promise;
  await watcher.stop();
}

it("a file that was saved while the code was built is a change", async () => {
  const since = await snapshotSources(folder.path);
  await save("second one");

  await expect(changed(since)).resolves.toBeUndefined();
});

it("a change of the settings is a change too", async () => {
  const since = await snapshotSources(folder.path);
  await writeFile(join(folder.path, "sluice.config.json"), "{}");

  await expect(changed(since)).resolves.toBeUndefined();
});

it("a file that is saved later is a change", async () => {
  const change = changed(await snapshotSources(folder.path));
  await save("another", "new.ts");

  await expect(change).resolves.toBeUndefined();
});
