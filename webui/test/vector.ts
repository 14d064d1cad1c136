import { readFileSync } from "node:fs";
import type { Bytes } from "../src/seal/bytes";
import type { SealedFor } from "../src/seal/sealedFor";
import type { SealedSecrets } from "../src/seal/sealedSecrets";

/** The vector that the Java library passes too. */
interface Vector {
  agent: string;
  generation: number;
  system: string;
  destination_fields: Record<string, string>;
  destination: string;
  sealing_seed: string;
  sealing_public: string;
  recovery_seed: string;
  recovery_public: string;
  secrets: string;
  dek: string;
  nonce: string;
  dek_commitment: string;
  secrets_context: string;
  wrap_context: string;
  ciphertext: string;
  sealed_by_java: SealedSecrets;
  sealed_by_typescript: SealedSecrets;
  sealing_recipient: string;
  recovery_recipient: string;
  /** After the agent was enrolled again: opened with the recovery key, sealed to the new one. */
  recovered: {
    generation: number;
    sealing_seed: string;
    sealing_public: string;
    sealing_recipient: string;
    sealed_by_java: SealedSecrets;
    sealed_by_typescript: SealedSecrets;
  };
  signed: { root_public: string; now: number; keyset: string; agent_record: string };
}

const FILE = new URL(
  "../../codec/src/test/resources/seal/sealed-configuration.json",
  import.meta.url,
);

export const vector = JSON.parse(readFileSync(FILE, "utf8")) as Vector;

export const owner: SealedFor = {
  agent: vector.agent,
  generation: vector.generation,
  system: vector.system,
  destination: unhex(vector.destination),
};

export function unhex(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
