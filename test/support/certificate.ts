import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** Makes a certificate that its own key signed, for one name, in X.509 v1 (RFC 5280 section 4.1), which is the smallest form. */
export function selfSigned(name: string): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const subject = sequence(set(sequence(COMMON_NAME, tlv(0x0c, Buffer.from(name)))));
  const validity = sequence(utcTime("200101000000Z"), utcTime("491231235959Z"));
  const body = sequence(tlv(0x02, Buffer.from([1])), ED25519, subject, validity, subject, publicBytes(publicKey));
  const signature = tlv(0x03, Buffer.concat([Buffer.from([0]), sign(null, body, privateKey)]));
  const der = sequence(body, ED25519, signature).toString("base64");
  return {
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${der.replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
  };
}

function publicBytes(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" });
}

/** A value in DER: its tag, its length, its bytes. */
function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const sequence = (...parts: Buffer[]) => tlv(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]) => tlv(0x31, Buffer.concat(parts));
const utcTime = (text: string) => tlv(0x17, Buffer.from(text));

/** OIDs: commonName, and the algorithm of Ed25519 (RFC 8410). */
const COMMON_NAME = Buffer.from("0603550403", "hex");
const ED25519 = sequence(Buffer.from("06032b6570", "hex"));
