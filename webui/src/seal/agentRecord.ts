import { fromBase64url, SealError, type Bytes } from "./bytes";
import { integer, string } from "./fields";
import { PUBLIC_KEY_BYTES } from "./hpke";
import { requireLeadsTo, rootKeyId, type RootLink } from "./rootChain";
import { verifyDocument } from "./signedDocument";

/** The versioned list of online keys, signed by the root whose hash is pinned. */
export interface Keyset {
  readonly version: number;
  readonly keys: readonly KeysetKey[];
}

export interface KeysetKey {
  readonly kid: string;
  readonly use: string;
  readonly public: Bytes;
}

/** What an approval made: the public keys of one generation of an agent. */
export interface AgentRecord {
  readonly agent: string;
  readonly generation: number;
  readonly fingerprint: string;
  readonly sealingPublic: Bytes;
  readonly signingPublic: Bytes;
}

/** `crossSignatures` lead from the pinned root to this one where the owner has rotated it. */
export async function verifyKeyset(
  jws: string,
  rootPublic: Bytes,
  pinnedRootSha256: Bytes,
  now: Date,
  crossSignatures: readonly RootLink[] = [],
): Promise<Keyset> {
  await requireLeadsTo(rootPublic, crossSignatures, pinnedRootSha256);
  const rootId = await rootKeyId(rootPublic);
  const payload = await verifyDocument(jws, "penstock-keyset+jws", (kid) =>
    kid === rootId ? rootPublic : undefined,
  );
  const seconds = Math.floor(now.getTime() / 1000);
  if (seconds < integer(payload, "not_before") || seconds >= integer(payload, "expires")) {
    throw new SealError("the keyset is not valid at this time");
  }
  const keys = payload["keys"];
  if (!Array.isArray(keys)) {
    throw new SealError("keys: expected a list");
  }
  return { version: integer(payload, "version"), keys: keys.map(keysetKey) };
}

function keysetKey(value: unknown): KeysetKey {
  if (typeof value !== "object" || value === null) {
    throw new SealError("keys: expected objects");
  }
  const key = value as Record<string, unknown>;
  return {
    kid: string(key, "kid"),
    use: string(key, "use"),
    public: fromBase64url(key["public"], "public", 32),
  };
}

/** Trusts only the signature of the keyset's record key, never what the API says beside it. */
export async function verifyAgentRecord(jws: string, keyset: Keyset): Promise<AgentRecord> {
  const payload = await verifyDocument(
    jws,
    "penstock-agent-record+jws",
    (kid) => keyset.keys.find((key) => key.use === "record" && key.kid === kid)?.public,
  );
  const generation = integer(payload, "generation");
  if (generation < 1) {
    throw new SealError("generation: expected 1 or more");
  }
  return {
    agent: string(payload, "agent"),
    generation,
    fingerprint: string(payload, "fingerprint"),
    sealingPublic: fromBase64url(payload["sealing_public"], "sealing_public", PUBLIC_KEY_BYTES),
    signingPublic: fromBase64url(payload["signing_public"], "signing_public", 32),
  };
}
