import { equal, fromBase64url, SealError, sha256, type Bytes } from "./bytes";
import { hex, integer } from "./fields";
import { verifyDocument } from "./signedDocument";

/** More rotations of the root than this since the pin leave its holder behind. */
export const MAX_LINKS = 16;

/** One step from a root to the next, as the API's `cross_signatures` (docs/protocol.md, section 2). */
export interface RootLink {
  readonly rootPublic: Bytes;
  readonly jws: string;
}

/** The key id under which a root signs. */
export async function rootKeyId(rootPublic: Bytes): Promise<string> {
  return `root-${hex(await sha256(rootPublic)).slice(0, 16)}`;
}

/**
 * Holds when `shown` is the pinned root, or `links`, oldest first, lead from the pinned one to it,
 * each signed by the one before. What stands before the pinned root is not looked at.
 */
export async function requireLeadsTo(
  shown: Bytes,
  links: readonly RootLink[],
  pinnedRootSha256: Bytes,
): Promise<void> {
  if (equal(await sha256(shown), pinnedRootSha256)) {
    return;
  }
  if (links.length > MAX_LINKS) {
    throw new SealError(
      `expected at most ${String(MAX_LINKS)} cross-signatures, found ${String(links.length)}`,
    );
  }
  const hashes = await Promise.all(links.map((link) => sha256(link.rootPublic)));
  const at = hashes.findIndex((hash) => equal(hash, pinnedRootSha256));
  let reached = links[at]?.rootPublic;
  if (reached === undefined) {
    throw new SealError("the root key is not the pinned one, and no cross-signature starts at that");
  }
  let sequence = 0;
  for (const link of links.slice(at)) {
    const succession = await verified(link);
    const follows = sequence === 0 || succession.sequence === sequence + 1;
    if (!equal(link.rootPublic, reached) || !follows) {
      throw new SealError("the cross-signatures of the roots do not follow each other");
    }
    sequence = succession.sequence;
    reached = succession.successor;
  }
  if (!equal(reached, shown)) {
    throw new SealError("the cross-signatures lead to another root than the one shown");
  }
}

async function verified(link: RootLink): Promise<{ sequence: number; successor: Bytes }> {
  const id = await rootKeyId(link.rootPublic);
  const payload = await verifyDocument(link.jws, "penstock-root+jws", (kid) =>
    kid === id ? link.rootPublic : undefined,
  );
  const sequence = integer(payload, "sequence");
  if (sequence < 1) {
    throw new SealError("sequence: expected 1 or more");
  }
  return { sequence, successor: fromBase64url(payload["successor"], "successor", 32) };
}
