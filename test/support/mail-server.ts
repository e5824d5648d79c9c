import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { SinkBehaviour } from "./conformance/notifier.ts";

type Mail = { from: string; to: string[]; raw: string };

/** A mail server on the loopback interface that behaves as it is asked to. */
export async function startMailServer() {
  const mails: Mail[] = [];
  let behaviour: SinkBehaviour = "takes";
  const waiting: (() => void)[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    onConnect(_session, callback) {
      if (behaviour === "hangs") waiting.push(callback);
      else if (behaviour === "drops") for (const { _socket } of connectionsOf(server)) _socket.destroy();
      else callback();
    },
    onRcptTo(_address, _session, callback) {
      if (behaviour === "busy") callback(Object.assign(new Error("answer-secret"), { responseCode: 451 }));
      else if (behaviour === "refuses") callback(Object.assign(new Error("answer-secret"), { responseCode: 550 }));
      else callback();
    },
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = envelope.rcptTo.map(({ address }) => address);
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        mails.push({ from, to, raw: Buffer.concat(chunks).toString("latin1") });
        callback();
      });
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    behave(next: SinkBehaviour) {
      behaviour = next;
      for (const answer of waiting.splice(0)) answer();
    },
    async stop() {
      for (const { _socket } of connectionsOf(server)) _socket.destroy();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

type Connection = { _socket: { destroy: () => void } };

function connectionsOf(server: SMTPServer): Connection[] {
  return [...(server.connections as unknown as Set<Connection>)];
}

/** The headers of a mail as they are, and its text decoded. */
export function readMail(raw: string): { headers: string; text: string } {
  const end = raw.indexOf("\r\n\r\n");
  const headers = raw.slice(0, end);
  const body = raw.slice(end + 4);
  const encoding = /^content-transfer-encoding: *(\S+)/im.exec(headers)?.[1] ?? "7bit";
  return { headers, text: Buffer.from(DECODERS[encoding]?.(body) ?? body, "latin1").toString("utf8") };
}

const DECODERS: Record<string, (body: string) => string> = {
  base64: (body) => Buffer.from(body, "base64").toString("latin1"),
  "quoted-printable": (body) =>
    body
      .replaceAll("=\r\n", "")
      .replaceAll(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
};
