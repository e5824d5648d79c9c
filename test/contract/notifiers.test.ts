import { SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createSinkAddresses } from "../../functions/adapters/http/sink-address.ts";
import { createSlackNotifier } from "../../functions/adapters/http/slack.ts";
import { createWebhookNotifier } from "../../functions/adapters/http/webhook.ts";
import { createEmailNotifier } from "../../functions/adapters/mail/email.ts";
import { createTopicNotifier } from "../../functions/adapters/sns/topic-sink.ts";
import { createQueueNotifier } from "../../functions/adapters/sqs/queue-sink.ts";
import { startMessaging } from "../support/aws-messaging.ts";
import { describeNotifier } from "../support/conformance/notifier.ts";
import { startHttpSink } from "../support/http-sink.ts";
import { stubAws } from "../support/local-aws.ts";
import { readMail, startMailServer } from "../support/mail-server.ts";
import { deliveryOf, eventText, noticeOf, seals } from "../support/notices.ts";

const allowHttp = true;
const addresses = createSinkAddresses({ allowHttp });
const soon = () => Date.now() + 10_000;

afterEach(() => void vi.unstubAllEnvs());

describeNotifier("webhooks", async () => {
  const sink = await startHttpSink();
  onTestFinished(sink.stop);
  return {
    notifier: createWebhookNotifier({ addresses, allowHttp, seals }),
    sink: { type: "webhook", url: `${sink.url}/hook` },
    badSink: { type: "webhook", url: "https://10.0.0.1/" },
    behave: sink.behave,
    received: () => Promise.resolve(sink.received.map(({ body }) => body.toString())),
  };
});

describeNotifier("webhooks in binary mode", async () => {
  const sink = await startHttpSink();
  onTestFinished(sink.stop);
  return {
    notifier: createWebhookNotifier({ addresses, allowHttp, seals }),
    sink: { type: "webhook", url: sink.url, format: "binary", headers: { "X-Token": "secret" } },
    badSink: { type: "webhook", url: "https://example.com/", headers: { "Webhook-Id": "mine" } },
    behave: sink.behave,
    received: () =>
      Promise.resolve(sink.received.map(({ rawHeaders, body }) => `${rawHeaders.join("\n")}\n\n${body.toString()}`)),
  };
});

describeNotifier("Slack", async () => {
  const sink = await startHttpSink({ takes: (response) => void response.end("ok") });
  onTestFinished(sink.stop);
  return {
    notifier: createSlackNotifier({ addresses, allowHttp }),
    sink: { type: "slack", url: `${sink.url}/services/T0/B0/x` },
    badSink: { type: "slack", url: "http://example.com/" },
    behave: sink.behave,
    received: () =>
      Promise.resolve(sink.received.map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text)),
  };
});

async function openMail() {
  const server = await startMailServer();
  onTestFinished(server.stop);
  const carrier = { kind: "smtp", url: server.url } as const;
  return { server, notifier: createEmailNotifier({ from: "sluice@example.com", carrier }) };
}

const textsOf = (raws: readonly string[]) =>
  raws.map((raw) => {
    const { headers, text } = readMail(raw);
    return `${headers}\r\n\r\n${text}`;
  });

describeNotifier("e-mail by SMTP", async () => {
  const { server, notifier } = await openMail();
  return {
    notifier,
    sink: { type: "email", to: ["ops@example.com"] },
    badSink: { type: "email", to: ["ops@example.com, other@example.com"] },
    behave: server.behave,
    received: () => Promise.resolve(textsOf(server.mails.map(({ raw }) => raw))),
  };
});

describeNotifier("e-mail by SES", async () => {
  const raws: string[] = [];
  const ses = await startHttpSink({
    takes(response, { body }) {
      const { Content } = JSON.parse(body.toString()) as { Content: { Raw: { Data: string } } };
      raws.push(Buffer.from(Content.Raw.Data, "base64").toString("latin1"));
      response.writeHead(200, { "content-type": "application/json" }).end('{"MessageId":"1"}');
    },
    refuses: (response) =>
      void response
        .writeHead(400, { "content-type": "application/json", "x-amzn-errortype": "MessageRejected" })
        .end('{"message":"answer-secret"}'),
  });
  onTestFinished(ses.stop);
  stubAws({ AWS_ENDPOINT_URL_SESV2: ses.url });
  return {
    notifier: createEmailNotifier({ from: "sluice@example.com", carrier: { kind: "ses" } }),
    sink: { type: "email", to: ["ops@example.com"] },
    badSink: { type: "email", to: [] },
    behave: ses.behave,
    received: () => Promise.resolve(textsOf(raws)),
  };
});

const QUEUE_REFUSAL = {
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({ __type: "com.amazonaws.sqs#InvalidMessageContents", message: "answer-secret" }),
};

async function openQueue(name = "orders") {
  const aws = await startMessaging(QUEUE_REFUSAL);
  onTestFinished(aws.stop);
  stubAws({ AWS_ENDPOINT_URL_SQS: aws.front.url });
  const queue = await aws.createQueue(name);
  const client = () => new SQSClient({ maxAttempts: 1 });
  return { aws, queue, notifier: createQueueNotifier({ client, queueUrls: [queue.queueUrl] }) };
}

describeNotifier("queues of SQS", async () => {
  const { aws, queue, notifier } = await openQueue();
  return {
    notifier,
    sink: { type: "sqs", queueUrl: queue.queueUrl },
    badSink: { type: "sqs", queueUrl: `${queue.queueUrl}-other` },
    behave: aws.front.behave,
    received: queue.received,
  };
});

const TOPIC_REFUSAL = {
  status: 400,
  headers: { "content-type": "text/xml" },
  body: "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>answer-secret</Message></Error></ErrorResponse>",
};

async function openTopic() {
  const aws = await startMessaging(TOPIC_REFUSAL);
  onTestFinished(aws.stop);
  stubAws({ AWS_ENDPOINT_URL_SNS: aws.front.url });
  const topic = await aws.createTopic("orders");
  return { aws, topic, notifier: createTopicNotifier({ topicArns: [topic.topicArn] }) };
}

describeNotifier("topics of SNS", async () => {
  const { aws, topic, notifier } = await openTopic();
  return {
    notifier,
    sink: { type: "sns", topicArn: topic.topicArn },
    badSink: { type: "sns", topicArn: `${topic.topicArn}-other` },
    behave: aws.front.behave,
    received: topic.received,
  };
});

describe("messages of queues and topics", () => {
  it("a queue gets the event verbatim, with its type, source and id as attributes", async () => {
    const { queue, notifier } = await openQueue();
    const event = eventText();

    await notifier.notify(
      noticeOf({ type: "sqs", queueUrl: queue.queueUrl }, { deliveries: [deliveryOf(event)] }),
      soon(),
    );

    const [message] = await queue.raw();
    expect(message?.Body).toBe(event);
    expect(message?.MessageAttributes).toMatchObject({
      type: { StringValue: "com.example.order" },
      source: { StringValue: "/shop" },
      id: { StringValue: "order-1" },
    });
  });

  it("a queue gets characters that SQS refuses as escapes, which mean the same", async () => {
    const { queue, notifier } = await openQueue();
    const event = `{"specversion":"1.0","id":"a\uFFFFb","source":"/s","type":"t","data":"\uFFFE"}`;

    const outcome = await notifier.notify(
      noticeOf({ type: "sqs", queueUrl: queue.queueUrl }, { deliveries: [deliveryOf(event)] }),
      soon(),
    );

    expect(outcome).toEqual({ kind: "delivered" });
    const [text = ""] = await queue.received();
    expect(text).toContain('"data":"\\ufffe"');
    expect(JSON.parse(text)).toEqual(JSON.parse(event));
  });

  it("a queue or topic that is no longer allowed gets nothing, and the event waits", async () => {
    const { aws, queue } = await openQueue();
    const notifier = createQueueNotifier({ client: () => new SQSClient({}), queueUrls: [] });
    const calls = aws.front.received.length;

    const outcome = await notifier.notify(noticeOf({ type: "sqs", queueUrl: queue.queueUrl }), soon());

    expect(outcome).toMatchObject({ kind: "later", error: expect.stringContaining("notifyQueues") });
    expect(aws.front.received).toHaveLength(calls);
    const topics = createTopicNotifier({ topicArns: [] });
    expect(await topics.notify(noticeOf({ type: "sns", topicArn: "arn:aws:sns:eu-west-1:1:a" }), soon())).toMatchObject(
      {
        kind: "later",
        error: expect.stringContaining("notifyTopics"),
      },
    );
  });
});

describe("e-mails", () => {
  it("an e-mail goes to the addresses of the sink alone, as plain text under one id", async () => {
    const { server, notifier } = await openMail();
    const sink = { type: "email", to: ["a@example.com", "b@example.com"] } as const;
    const event = eventText({ subject: "x\r\nCc: c@example.com", type: "t\r\nBcc: d@example.com" });
    const notice = noticeOf<"email">({ ...sink, to: [...sink.to] }, { deliveries: [deliveryOf(event)] });

    await notifier.notify(
      { ...notice, subscription: { ...notice.subscription, name: "n\nTo: e@example.com" } },
      soon(),
    );
    await notifier.notify(notice, soon());

    expect(server.mails.map(({ from, to }) => ({ from, to }))).toEqual([
      { from: "sluice@example.com", to: sink.to },
      { from: "sluice@example.com", to: sink.to },
    ]);
    const [first, second] = server.mails.map(({ raw }) => readMail(raw).headers);
    const lines = (first ?? "").split("\r\n").filter((line) => /^[A-Za-z-]+:/.test(line));
    expect(new Set(lines.map((line) => line.slice(0, line.indexOf(":"))))).toEqual(
      new Set([
        "Auto-Submitted",
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
      ]),
    );
    expect(lines).toHaveLength(9);
    expect(first).toMatch(/^Content-Type: text\/plain/m);
    const idOf = (headers = "") => /^Message-ID: (.*)/m.exec(headers)?.[1];
    expect(idOf(first)).toBe(idOf(second));
  });

  it.each([
    "",
    "ops",
    "ops@localhost",
    "a@example.com,b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    '"a" <a@example.com>',
    "<a@example.com>",
    "a b@example.com",
    "a@b@example.com",
    "a@example..com",
    `${"a".repeat(65)}@example.com`,
    "group: a@example.com;",
  ])("an e-mail does not go to %j", async (address) => {
    const carrier = { kind: "smtp", url: "smtp://127.0.0.1:1" } as const;
    const notifier = createEmailNotifier({ from: "sluice@example.com", carrier });

    expect(await notifier.check({ type: "email", to: [address] }, soon())).toContain("is no e-mail address");
  });

  it("an installation without a sender refuses e-mail sinks, and keeps their events", async () => {
    const notifier = createEmailNotifier({ from: undefined, carrier: { kind: "ses" } });

    expect(await notifier.check({ type: "email", to: ["ops@example.com"] }, soon())).toContain("emailFrom");
    const outcome = await notifier.notify(noticeOf({ type: "email", to: ["ops@example.com"] }), soon());
    expect(outcome).toMatchObject({ kind: "later", error: expect.stringContaining("emailFrom") });
  });
});
