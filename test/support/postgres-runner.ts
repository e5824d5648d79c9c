import { Client } from "pg";
import { startPostgres } from "../../localstack/postgres/postgres.ts";

/** A process that runs PostgreSQL like the local runtime does: at Ctrl-C it finishes its work, then stops it. */
const postgres = await startPostgres({ dataDir: process.argv[2] ?? "", databaseName: "events" });
process.once("SIGINT", () => void finish());
process.stdin.resume();
console.log(JSON.stringify({ pid: postgres.pid, url: postgres.url }));

async function finish(): Promise<void> {
  const client = new Client(postgres.url);
  await client.connect();
  await client.query("create table if not exists finished (at timestamptz default now())");
  await client.query("insert into finished default values");
  await client.end();
  await postgres.stop();
  process.exit(0);
}
