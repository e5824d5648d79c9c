import { describe, expect, it } from "vitest";
import { reachableApiUrl, reachableQueueUrl } from "../../../localstack/emulator/deploy.ts";

const ENDPOINT = "http://127.0.0.1:4566";

describe("addresses in an emulator", () => {
  it.each([
    "https://abc123.execute-api.us-east-1.amazonaws.com/dev/",
    "http://abc123.execute-api.localhost.localstack.cloud:4566/dev",
  ])("the API of %s is reached at the address of the emulator", (url) => {
    expect(reachableApiUrl(url, ENDPOINT)).toBe(`${ENDPOINT}/_aws/execute-api/abc123/dev`);
  });

  it("a queue's URL keeps its path at the address of the emulator", () => {
    expect(
      reachableQueueUrl("http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/events", ENDPOINT),
    ).toBe(`${ENDPOINT}/000000000000/events`);
  });
});
