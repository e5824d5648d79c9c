import { KEY_SECRET } from "./bench-key.ts";

/** Replaces `@aws-sdk/client-secrets-manager` in the measured bundle. */
export class SecretsManagerClient {
  send(): Promise<{ SecretString: string }> {
    return Promise.resolve({ SecretString: KEY_SECRET });
  }
}

export class GetSecretValueCommand {
  readonly input: object;

  constructor(input: object) {
    this.input = input;
  }
}
