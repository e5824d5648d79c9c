import type { MadeSubscription } from "../../types.ts";

/** The secrets with which the receiver of a webhook checks signatures. */
export function secretsOf({ secret, publicKey }: Pick<MadeSubscription, "secret" | "publicKey">) {
  return [
    { label: "Secret, for the signatures v1", value: secret },
    { label: "Public key, for the signatures v1a", value: publicKey },
  ].flatMap(({ label, value }) => (value === undefined ? [] : [{ label, value }]));
}
