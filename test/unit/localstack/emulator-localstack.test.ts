import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localstack } from "../../../localstack/emulator/localstack.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

describe("the command of LocalStack", () => {
  it("the command of LocalStack listens on this machine only, and asks nothing of the internet", async () => {
    const { environment } = await localstack("python3", 4566, join(folder.path, "localstack"), 8000);

    expect(environment).toMatchObject({ GATEWAY_LISTEN: "127.0.0.1:4566", DISABLE_EVENTS: "1" });
  });

  it("the command of LocalStack leads it to our server of tables, where it would start a Java program", async () => {
    const { environment } = await localstack("python3", 4566, join(folder.path, "tables"), 8000);

    expect(environment).toMatchObject({ DYNAMODB_LOCAL_PORT: "8000" });
  });
});
