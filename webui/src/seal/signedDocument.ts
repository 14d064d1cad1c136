import { fromBase64url, SealError, text, utf8, type Bytes } from "./bytes";

/** What a signed document is for; a signature for one purpose never stands for another. */
export type DocumentType =
  | "penstock-keyset+jws"
  | "penstock-root+jws"
  | "penstock-agent-record+jws";

const MAX_CHARS: Record<DocumentType, number> = {
  "penstock-keyset+jws": 16 * 1024,
  "penstock-root+jws": 1024,
  "penstock-agent-record+jws": 32 * 1024,
};
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;

/**
 * Verifies a compact JWS under Ed25519 with exactly the header members alg, kid and typ, and
 * returns its payload. `keyOf` answers the key of a kid that may sign this type.
 */
export async function verifyDocument(
  jws: string,
  type: DocumentType,
  keyOf: (kid: string) => Bytes | undefined,
): Promise<Record<string, unknown>> {
  const parts = jws.length <= MAX_CHARS[type] ? COMPACT.exec(jws) : null;
  const [, header, payload, signature] = parts ?? [];
  if (header === undefined || payload === undefined || signature === undefined) {
    throw new SealError(`${type} is not a compact JWS`);
  }
  const key = keyOf(keyIdOf(header, type));
  if (key === undefined) {
    throw new SealError(`${type} is signed by an unknown key`);
  }
  const signed = utf8(`${header}.${payload}`);
  if (!(await holds(key, fromBase64url(signature, "signature"), signed))) {
    throw new SealError(`${type} has a signature that does not verify`);
  }
  return object(payload, `${type} payload`);
}

function keyIdOf(encoded: string, type: DocumentType): string {
  const header = object(encoded, `${type} header`);
  const kid = header["kid"];
  if (
    Object.keys(header).length !== 3 ||
    header["alg"] !== "EdDSA" ||
    header["typ"] !== type ||
    typeof kid !== "string"
  ) {
    throw new SealError(`${type} needs exactly alg EdDSA, its own typ and a kid in its header`);
  }
  return kid;
}

async function holds(publicKey: Bytes, signature: Bytes, signed: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, signed);
  } catch {
    // No point on the curve: nothing was signed by such a key.
    return false;
  }
}

function object(encoded: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text(fromBase64url(encoded, what)));
  } catch {
    throw new SealError(`${what} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SealError(`${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}
