import { base64url, concat, equal, fromBase64url, SealError, sha256, text, utf8, type Bytes } from "./bytes";
import { hpkeOpen, hpkeSeal } from "./hpke";
import { secretsContext, wrapContext, type SealedFor } from "./sealedFor";

/**
 * The secret half of one configuration: the API's `sealed` object (docs/sealed-configuration.md,
 * section 3). The broker gets this and never the secrets.
 */
export interface SealedSecrets {
  readonly format: 1;
  readonly ciphertext: string;
  readonly dek_commitment: string;
  readonly wraps: readonly Wrap[];
}

export interface Wrap {
  readonly recipient: string;
  readonly sealed: string;
}

/** What the signed header says of it. */
export interface SecretsHashes {
  readonly ciphertext_sha256: string;
  readonly dek_commitment: string;
}

export type Secrets = Readonly<Record<string, unknown>>;

const MAX_SECRETS_BYTES = 1024 * 1024;
const MAX_WRAPS = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DEK_BYTES = 32;
const COMMITMENT_LABEL = utf8("penstock dek commitment v1");

/**
 * Seals `secrets` to an agent's key, and to the owner's recovery key if there is one. Which key that
 * is, the owner says where secrets are sealed: the broker is never asked.
 */
export async function seal(
  secrets: Secrets,
  owner: SealedFor,
  sealingPublic: Bytes,
  recoveryPublic?: Bytes,
): Promise<SealedSecrets> {
  const publicKeys = recoveryPublic === undefined ? [sealingPublic] : [sealingPublic, recoveryPublic];
  const dek = crypto.getRandomValues(new Uint8Array(DEK_BYTES));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const json = utf8(JSON.stringify(secrets));
  try {
    return await sealWith(json, owner, publicKeys, dek, nonce);
  } finally {
    dek.fill(0);
    json.fill(0);
  }
}

/** For the vectors, which fix key and nonce; everything else calls `seal`. */
export async function sealWith(
  json: Bytes,
  owner: SealedFor,
  publicKeys: readonly Bytes[],
  dek: Bytes,
  nonce: Bytes,
): Promise<SealedSecrets> {
  if (json.length > MAX_SECRETS_BYTES) {
    throw new SealError(`secrets: expected at most 1048576 bytes, found ${String(json.length)}`);
  }
  parseObject(json);
  const recipients = await Promise.all(publicKeys.map(recipientOf));
  requireDifferent(recipients);
  const commitment = await commitmentOf(dek);
  const info = wrapContext(owner, commitment);
  const wraps: Wrap[] = [];
  for (const [at, publicKey] of publicKeys.entries()) {
    wraps.push({
      recipient: recipients[at] ?? "",
      sealed: base64url(await hpkeSeal(publicKey, info, dek)),
    });
  }
  const key = await crypto.subtle.importKey("raw", dek, "AES-GCM", false, ["encrypt"]);
  const encrypted = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: secretsContext(owner) },
    key,
    json,
  );
  return {
    format: 1,
    ciphertext: base64url(concat(nonce, new Uint8Array(encrypted))),
    dek_commitment: base64url(commitment),
    wraps,
  };
}

/** The key id that names a recipient: in wraps, and in the API's `recipients`. */
export async function recipientOf(sealingPublic: Bytes): Promise<string> {
  return base64url(await sha256(sealingPublic));
}

function requireDifferent(recipients: readonly string[]): void {
  if (recipients.length < 1 || recipients.length > MAX_WRAPS || new Set(recipients).size !== recipients.length) {
    throw new SealError(`sealed secrets: expected 1 to ${String(MAX_WRAPS)} different recipients`);
  }
}

/** HKDF-SHA256 without salt: names the one key that may open the ciphertext. */
export async function commitmentOf(dek: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", dek, "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: COMMITMENT_LABEL },
    key,
    256,
  );
  return new Uint8Array(bits);
}

/** Opens with a private key, in the agent's order of checks; for tests and tools. */
export async function open(
  sealed: SealedSecrets,
  owner: SealedFor,
  sealingPublic: Bytes,
  seed: Bytes,
): Promise<Secrets> {
  const { ciphertext, commitment } = decode(sealed);
  const recipient = await recipientOf(sealingPublic);
  const wrap = sealed.wraps.find((it) => it.recipient === recipient);
  if (wrap === undefined) {
    throw new SealError("no wrap for this key");
  }
  const info = wrapContext(owner, commitment);
  const dek = await hpkeOpen(seed, info, fromBase64url(wrap.sealed, "a wrap"));
  if (dek.length !== DEK_BYTES || !equal(await commitmentOf(dek), commitment)) {
    throw new SealError("the wrapped key is not the one committed to");
  }
  const key = await crypto.subtle.importKey("raw", dek, "AES-GCM", false, ["decrypt"]);
  dek.fill(0);
  let json: ArrayBuffer;
  try {
    json = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: ciphertext.slice(0, NONCE_BYTES),
        additionalData: secretsContext(owner),
      },
      key,
      ciphertext.slice(NONCE_BYTES),
    );
  } catch {
    throw new SealError("the secrets do not open with their key");
  }
  return parseObject(new Uint8Array(json));
}

/**
 * The secrets of the version before, for a next one that leaves them as they are: the same object,
 * because nothing in it names a version. Throws unless they are those that `header` names, and are
 * sealed to the key the agent has now.
 */
export async function carryForward(
  sealed: SealedSecrets,
  header: SecretsHashes,
  sealingPublic: Bytes,
): Promise<SealedSecrets> {
  const hashes = await hashesOf(sealed);
  if (
    hashes.ciphertext_sha256 !== header.ciphertext_sha256 ||
    hashes.dek_commitment !== header.dek_commitment
  ) {
    throw new SealError("the secrets are not those of the version before");
  }
  const recipient = await recipientOf(sealingPublic);
  if (!sealed.wraps.some((wrap) => wrap.recipient === recipient)) {
    throw new SealError("the secrets are not sealed to the agent's present key: type them again");
  }
  return sealed;
}

export async function hashesOf(sealed: SealedSecrets): Promise<SecretsHashes> {
  const { ciphertext } = decode(sealed);
  return {
    ciphertext_sha256: base64url(await sha256(ciphertext)),
    dek_commitment: sealed.dek_commitment,
  };
}

function decode(sealed: SealedSecrets): { ciphertext: Bytes; commitment: Bytes } {
  if ((sealed.format as number) !== 1) {
    throw new SealError("sealed secrets of another shape");
  }
  requireDifferent(sealed.wraps.map((wrap) => wrap.recipient));
  const ciphertext = fromBase64url(sealed.ciphertext, "ciphertext");
  const length = ciphertext.length - NONCE_BYTES - TAG_BYTES;
  if (length < 2 || length > MAX_SECRETS_BYTES) {
    throw new SealError("ciphertext: expected secrets of 2 to 1048576 bytes");
  }
  return { ciphertext, commitment: fromBase64url(sealed.dek_commitment, "dek_commitment", 32) };
}

function parseObject(json: Bytes): Secrets {
  let value: unknown;
  try {
    value = JSON.parse(text(json));
  } catch {
    throw new SealError("secrets: expected a JSON object");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SealError("secrets: expected a JSON object");
  }
  return value as Secrets;
}
