import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeKey } from "../../../functions/core/key.ts";
import { refuseSecretsIn, secretTexts } from "../../support/secret-texts.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

it("the values of all versions of all secrets of a data folder are found, and the password of its cluster", async () => {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  await Promise.all(["secrets", "postgres"].map((name) => mkdir(join(path, name))));
  const versions = (...texts: (string | undefined)[]) => JSON.stringify({ versions: texts.map((text) => ({ text })) });
  await writeFile(join(path, "postgres", "password"), "of the owner\n");
  await writeFile(join(path, "secrets", "keys.json"), versions("of the keys"));
  await writeFile(
    join(path, "secrets", "writer.json"),
    versions('{"username":"a","password":"one"}', undefined, '{"username":"b","password":"two"}'),
  );

  expect((await secretTexts(path)).toSorted()).toEqual(["of the keys", "of the owner", "one", "two"]);
});

it("a line with a key or a password fails the run, by an error that has neither", () => {
  const { text } = makeKey((count) => crypto.getRandomValues(new Uint8Array(count)));

  expect(() => refuseSecretsIn(["fine", "also fine"], ["p4ssword"])).not.toThrow();
  expect(() => refuseSecretsIn(["fine", `sent ${text} twice`], [])).toThrow("secret: sent KEY twice");
  expect(() => refuseSecretsIn(["login with p4ssword."], ["other", "p4ssword"])).toThrow("secret: login with SECRET.");
});
