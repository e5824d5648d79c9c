import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { signRequest } from "../../../functions/adapters/sqs/sign-request.ts";

const REGION = "eu-central-1";

afterEach(() => vi.useRealTimers());

it("a signed request has the signature that the SDK gives it, at any time, with any body, key and token", async () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 200 });
  const secret = fc.stringMatching(/^[A-Za-z0-9/+]{40}$/);
  const time = fc.date({ min: new Date("2026-01-01"), max: new Date("2036-01-01"), noInvalidDate: true });
  const sessionToken = fc.option(fc.stringMatching(/^[A-Za-z0-9/+=]{1,80}$/), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(text, secret, time, sessionToken, async (MessageBody, secretAccessKey, now, token) => {
      vi.useFakeTimers({ now, toFake: ["Date"] });
      const credentials = { accessKeyId: "ASIA0123456789ABCDEF", secretAccessKey, sessionToken: token };
      const { headers, body } = await requestOfSdk(credentials, MessageBody);
      const { authorization, "x-amz-date": at, "x-amz-security-token": _, ...others } = headers;
      const isSigned = (name: string) => signedNames(authorization).includes(name);
      const toSign = Object.entries(others).filter(([name]) => isSigned(name));

      const signed = signRequest("sqs", { region: REGION, credentials }, Object.fromEntries(toSign), body);

      expect(signed["X-Amz-Date"]).toBe(at);
      expect(signed["X-Amz-Security-Token"]).toBe(token);
      expect(signed["Authorization"]).toBe(authorization);
    }),
    { numRuns: 50 },
  );
});

const signedNames = (authorization = ""): string[] =>
  /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];

type Sent = { headers: Record<string, string>; body: string };

/** The request as the SDK would send it. */
async function requestOfSdk(
  { sessionToken, ...keys }: { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined },
  MessageBody: string,
): Promise<Sent> {
  let sent: Sent | undefined;
  const client = new SQSClient({
    region: REGION,
    maxAttempts: 1,
    credentials: { ...keys, ...(sessionToken !== undefined && { sessionToken }) },
    requestHandler: {
      handle(request: Sent) {
        sent = request;
        return Promise.reject(new Error("Not sent"));
      },
    },
  });
  const QueueUrl = `https://sqs.${REGION}.amazonaws.com/123456789012/events`;
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "0", MessageBody }] })).catch(() => {});
  if (sent === undefined) throw new Error("The SDK sent no request");
  return sent;
}
