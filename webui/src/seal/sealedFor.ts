import { concat, SealError, sha256, utf8, type Bytes } from "./bytes";

/** Whose secrets these are, and for where (docs/sealed-configuration.md, section 3). */
export interface SealedFor {
  readonly agent: string;
  readonly generation: number;
  readonly system: string;
  /** 32 bytes, of destinationOf. */
  readonly destination: Bytes;
}

const NAME = /^[A-Za-z0-9._-]{1,63}$/;

/**
 * Where a configuration sends its secrets: a hash over the settings that the plugin's schema marks
 * `destination`. Secrets are bound to it, so nobody can point a stored password elsewhere.
 */
export async function destinationOf(
  settings: Readonly<Record<string, unknown>>,
  destinationFields: readonly string[],
): Promise<Bytes> {
  const parts: Bytes[] = [counted32("penstock destination v1")];
  for (const field of [...destinationFields].sort()) {
    const value = settings[field];
    if (typeof value === "string") {
      parts.push(counted32(field), counted32(value));
    } else if (value !== undefined) {
      throw new SealError(`settings: ${field}: expected text`);
    }
  }
  return sha256(concat(...parts));
}

/** Additional data of the AES-256-GCM over the secrets. */
export function secretsContext(owner: SealedFor): Bytes {
  return context("penstock secrets v1", owner);
}

/** HPKE info of a wrap. */
export function wrapContext(owner: SealedFor, dekCommitment: Bytes): Bytes {
  return concat(context("penstock secrets wrap v1", owner), dekCommitment);
}

function context(label: string, owner: SealedFor): Bytes {
  if (!NAME.test(owner.agent) || !NAME.test(owner.system)) {
    throw new SealError("agent, system: expected 1 to 63 of letters, digits and ._-");
  }
  if (!Number.isSafeInteger(owner.generation) || owner.generation < 1) {
    throw new SealError("generation: expected 1 or more");
  }
  if (owner.destination.length !== 32) {
    throw new SealError(`destination: expected 32 bytes, found ${String(owner.destination.length)}`);
  }
  const generation = new Uint8Array(8);
  new DataView(generation.buffer).setBigUint64(0, BigInt(owner.generation));
  return concat(
    counted(label),
    counted(owner.agent),
    generation,
    counted(owner.system),
    owner.destination,
  );
}

function counted(text: string): Bytes {
  const bytes = utf8(text);
  return concat(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
}

function counted32(text: string): Bytes {
  const bytes = utf8(text);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}
