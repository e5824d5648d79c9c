import { loadFauxqs } from "../../localstack/sqs/fauxqs.ts";
import { startLocalServer } from "../../localstack/start-local-server.ts";

/**
 * A queue server in its own process, whose port it sends over IPC. It keeps messages in memory and drops them after a moment, so
 * that a long run is as fast as a short one.
 */
const KEPT_MS = 200;
const REGION = "eu-central-1";

const fauxqs = await loadFauxqs();
const sqsStore = new fauxqs.SqsStore();
const app = fauxqs.buildApp({ logger: false, defaultRegion: REGION, stores: { sqsStore } });
await app.ready();
const { port } = await startLocalServer(app.server, { port: 0 });
for (const name of ["queue", "status"]) {
  const url = `http://127.0.0.1:${port}/000000000000/${name}`;
  const queue = sqsStore.createQueue(name, url, `arn:aws:sqs:${REGION}:000000000000:${name}`, {});
  setInterval(() => {
    queue.messages = [];
  }, KEPT_MS);
}
process.on("disconnect", () => process.exit());
process.send?.({ port });
