import { shellWord } from "../cli/shell-word.ts";
import type { Addresses } from "./addresses.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Writes what a person can do with a runtime that has started. Commands that find a runtime by its folder name the folder,
 * unless it is the one where they look anyway.
 */
export function greeting(
  { addresses, listensOn }: Pick<Runtime, "addresses" | "listensOn">,
  { dataDir, isDefault, allowHttpSinks }: { dataDir: string; isDefault: boolean; allowHttpSinks: boolean },
): string {
  const { url, apiKey, region, databaseUrl, queueUrl, deadLetterQueueUrl, awsEndpointUrl }: Addresses = addresses;
  const key = `-H 'authorization: Bearer ${apiKey}'`;
  const aws = `AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws --region ${region} --endpoint-url ${awsEndpointUrl} sqs`;
  const folder = isDefault ? "" : ` --data-dir ${shellWord(dataDir)}`;
  const sinks = allowHttpSinks
    ? "Subscriptions may deliver to http://127.0.0.1:PORT, too."
    : "Subscriptions deliver to https:// alone; `npm start -- --allow-http-sinks` lets them deliver to http://127.0.0.1:PORT.";
  const event = '{"type":"com.example.greeting","source":"/me","data":{"hello":"world"}}';
  return `
Sluice runs at ${url} (it listens on ${listensOn.join(" and ")})

  The page         npm run console${folder}
  Send an event    curl -i ${url}/events ${key} -H 'content-type: application/json' -d '${event}'
  Read it          curl ${url}/events/ID ${key}
  Send a file      npm run send -- FILE.ndjson${folder}
  The database     psql ${databaseUrl}
  The queue        ${aws} get-queue-attributes --attribute-names All --queue-url ${queueUrl}
  Dead letters     ${aws} receive-message --message-attribute-names All --queue-url ${deadLetterQueueUrl}
                   npm run dead-letters -- list${folder}
  Keys             npm run keys -- list${folder}

The key is an admin's of the tenant default; it is in ${dataDir}/api-key, too.
${sinks}
Data is in ${dataDir}; \`npm start -- --fresh${folder}\` deletes it first. Ctrl-C stops.

`;
}
