import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { concat, SealError, type Bytes } from "./bytes";

/**
 * HPKE base mode (RFC 9180) with X-Wing (0x647a), HKDF-SHA256 and AES-256-GCM, as one message:
 * format byte, encapsulated key (1120), ciphertext and tag.
 */
export const PUBLIC_KEY_BYTES = 1216;
const ENCAPSULATED_BYTES = 1120;
const TAG_BYTES = 16;
const FORMAT_X_WING_AES256 = 1;

const SUITE = new CipherSuite({
  kem: new XWing(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

export async function hpkeSeal(sealingPublic: Bytes, info: Bytes, plaintext: Bytes): Promise<Bytes> {
  if (sealingPublic.length !== PUBLIC_KEY_BYTES) {
    throw new SealError(
      `a sealing key: expected ${String(PUBLIC_KEY_BYTES)} bytes, found ${String(sealingPublic.length)}`,
    );
  }
  const recipientPublicKey = await SUITE.kem.deserializePublicKey(sealingPublic);
  const sealed = await SUITE.seal({ recipientPublicKey, info }, plaintext);
  return concat(
    new Uint8Array([FORMAT_X_WING_AES256]),
    new Uint8Array(sealed.enc),
    new Uint8Array(sealed.ct),
  );
}

/** The console never holds a private key; this is for tests and tools. */
export async function hpkeOpen(seed: Bytes, info: Bytes, sealed: Bytes): Promise<Bytes> {
  if (sealed.length < 1 + ENCAPSULATED_BYTES + TAG_BYTES || sealed[0] !== FORMAT_X_WING_AES256) {
    throw new SealError("not a seal of a known format");
  }
  const recipientKey = await SUITE.kem.deserializePrivateKey(seed);
  const enc = sealed.slice(1, 1 + ENCAPSULATED_BYTES);
  try {
    const plaintext = await SUITE.open(
      { recipientKey, enc, info },
      sealed.slice(1 + ENCAPSULATED_BYTES),
    );
    return new Uint8Array(plaintext);
  } catch {
    throw new SealError("the seal does not open");
  }
}
