/** The addresses of a running stack, printed by `npm start -- --json` and written to `runtime.json`. */
export type Addresses = {
  region: string;
  url: string;
  databaseUrl: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  awsEndpointUrl: string;
  dynamodbUrl: string;
  secretsManagerUrl: string;
  /** S3, where the template has a bucket. */
  s3Url?: string | undefined;
  dataApiUrl: string;
  /** The names that the Data API accepts. */
  clusterArn: string;
  secretArn: string;
  databaseName: string;
  /** Whether subscriptions may deliver to `http://127.0.0.1:PORT`; an emulator says it. */
  allowsHttpSinks?: boolean;
  /** An admin's key of the tenant `default`. */
  apiKey: string;
  /** A key of the installation. */
  installationKey: string;
};
