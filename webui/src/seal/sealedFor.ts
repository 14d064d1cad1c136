import { concat, SealError, utf8, type Bytes } from "./bytes";

/** Whose secrets these are (docs/sealed-configuration.md, section 3). */
export interface SealedFor {
  readonly agent: string;
  readonly generation: number;
  readonly system: string;
}

const NAME = /^[A-Za-z0-9._-]{1,63}$/;

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
  const generation = new Uint8Array(8);
  new DataView(generation.buffer).setBigUint64(0, BigInt(owner.generation));
  return concat(counted(label), counted(owner.agent), generation, counted(owner.system));
}

function counted(text: string): Bytes {
  const bytes = utf8(text);
  return concat(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
}
