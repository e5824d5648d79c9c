import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** The files that reach an address, and why a caller cannot choose which. */
const REACHING: Record<string, string> = {
  "functions/adapters/lambda/failpoint.ts": "the bundler drops its calls from deployed code (lib/bundle.ts)",
  "functions/adapters/http/connections.ts":
    "asks the rule of sinks at each connection (test/contract/sink-addresses.test.ts)",
  "functions/adapters/http/undici-client.d.ts": "the types of the client of those connections",
  "functions/adapters/http/sink-address.ts": "that rule; it takes from node:net the test of a text alone",
  "functions/adapters/lambda/span-output.ts": "the receiver of spans is an option of `npm start`",
  "functions/adapters/mail/smtp.ts": "the mail server is a setting",
  "functions/adapters/mail/ses.ts": "nodemailer writes the mail alone",
  "functions/adapters/sqs/signed-calls.ts": "the origin of a queue is a setting",
};

/** Each way to reach an address that needs no client of an AWS service: calls, and modules that open sockets. */
const REACHES_AN_ADDRESS =
  /\b(?:fetch|WebSocket|EventSource|XMLHttpRequest|sendBeacon)\b\s*\(|\b(?:from|import|require)\b\s*\(?\s*["'](?:node:)?(?:https?|http2|net|tls|dgram|child_process|undici(?:\/[^"']*)?|axios|got|ws|nodemailer)["']/;

const files = readdirSync("functions", { recursive: true, encoding: "utf8" })
  .map((name) => join("functions", name))
  .filter((path) => /\.[cm]?[jt]s$/.test(path));

describe("the network", () => {
  it("no function reaches an address that a caller names, but by the rule of sinks", () => {
    const found = files.filter((path) => REACHES_AN_ADDRESS.test(readFileSync(path, "utf8")));

    expect(new Set(found)).toEqual(new Set(Object.keys(REACHING)));
  });

  it.each([
    "await fetch(url)",
    "globalThis.fetch(url)",
    "new WebSocket (url)",
    'import { request } from "node:https";',
    "import net from 'net';",
    'await import("undici")',
    'await import("undici/lib/dispatcher/client.js")',
  ])("a function that reaches an address by %j is found", (code) => {
    expect(code).toMatch(REACHES_AN_ADDRESS);
  });

  it.each(["prefetch(item)", "fetchedAt", '{ type: "http" }', 'import type { HttpRequest } from "../core/http.ts";'])(
    "a function may have %j",
    (code) => {
      expect(code).not.toMatch(REACHES_AN_ADDRESS);
    },
  );
});
