import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, type Message, SQSClient } from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import { arnOf, receiveAll } from "./sqs.ts";
import { LOCAL_AWS } from "./local-aws.ts";
import { type HttpSink, startHttpSink } from "./http-sink.ts";

/** SQS and SNS in this process, behind a server that behaves as it is asked to. */
export async function startMessaging(refusal: { status: number; headers: Record<string, string>; body: string }) {
  const app = buildApp({ logger: false, defaultRegion: LOCAL_AWS.region });
  const target = await app.listen({ host: "127.0.0.1", port: 0 });
  const front: HttpSink = await startHttpSink({
    takes(response, { url, headers, body }) {
      const { host: _host, "content-length": _length, connection: _connection, ...rest } = headers;
      fetch(target + url, { method: "POST", headers: rest as Record<string, string>, body: new Uint8Array(body) })
        .then(async (answer) => {
          const text = await answer.text();
          return response
            .writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
            .end(text);
        })
        .catch(() => response.destroy());
    },
    refuses: (response) => void response.writeHead(refusal.status, refusal.headers).end(refusal.body),
  });
  const sqs = new SQSClient({ ...LOCAL_AWS, endpoint: target });
  const sns = new SNSClient({ ...LOCAL_AWS, endpoint: target });
  return {
    front,
    /** Makes a queue. @returns its URL through the server in front */
    async createQueue(
      name: string,
    ): Promise<{ queueUrl: string; received: () => Promise<string[]>; raw: () => Promise<Message[]> }> {
      const { QueueUrl: real = "" } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
      const texts: string[] = [];
      return {
        queueUrl: front.url + new URL(real).pathname,
        raw: () => receiveAll(sqs, real),
        async received() {
          texts.push(...(await receiveAll(sqs, real)).map(({ Body = "" }) => Body));
          return texts;
        },
      };
    },
    /** Makes a topic that a queue of this name receives. */
    async createTopic(name: string) {
      const queue = await this.createQueue(name);
      const { TopicArn: topicArn = "" } = await sns.send(new CreateTopicCommand({ Name: name }));
      const subscribe = { TopicArn: topicArn, Protocol: "sqs", Endpoint: arnOf(name) };
      await sns.send(new SubscribeCommand({ ...subscribe, Attributes: { RawMessageDelivery: "true" } }));
      return { topicArn, ...queue };
    },
    async stop() {
      await front.stop();
      sqs.destroy();
      sns.destroy();
      await app.close();
    },
  };
}
