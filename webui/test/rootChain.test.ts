import { beforeAll, describe, expect, it } from "vitest";
import { base64url, SealError, sha256, utf8, type Bytes } from "../src/seal/bytes";
import { MAX_LINKS, requireLeadsTo, rootKeyId, type RootLink } from "../src/seal/rootChain";

interface Root {
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
}

async function root(): Promise<Root> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return { publicKey: new Uint8Array(raw), privateKey: pair.privateKey };
}

async function link(from: Root, to: Root, sequence: number): Promise<RootLink> {
  const header = { alg: "EdDSA", kid: await rootKeyId(from.publicKey), typ: "penstock-root+jws" };
  const payload = { sequence, successor: base64url(to.publicKey), issued_at: 1_800_000_000 };
  const signed = [header, payload].map((part) => base64url(utf8(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign("Ed25519", from.privateKey, utf8(signed));
  return {
    rootPublic: from.publicKey,
    jws: `${signed}.${base64url(new Uint8Array(signature))}`,
  };
}

describe("a chain of roots", () => {
  let roots: Root[];
  let chain: RootLink[];
  let pins: Bytes[];

  beforeAll(async () => {
    roots = await Promise.all([root(), root(), root(), root()]);
    const steps = roots.slice(1).map((to, at) => link(nth(roots, at), to, at + 1));
    chain = await Promise.all(steps);
    pins = await Promise.all(roots.map((each) => sha256(each.publicKey)));
  });

  function nth<T>(list: readonly T[], at: number): T {
    const found = list[at];
    if (found === undefined) {
      throw new Error(`nothing at ${String(at)}`);
    }
    return found;
  }

  it("leads from every older pin to the newest root", async () => {
    for (const pin of pins) {
      await expect(requireLeadsTo(nth(roots, 3).publicKey, chain, pin)).resolves.toBeUndefined();
    }
  });

  it("leads nowhere back", async () => {
    await expect(requireLeadsTo(nth(roots, 0).publicKey, chain, nth(pins, 3))).rejects.toThrow(
      "no cross-signature starts",
    );
  });

  it("refuses a root that it does not end at", async () => {
    const stranger = await root();

    await expect(requireLeadsTo(stranger.publicKey, chain, nth(pins, 0))).rejects.toThrow(
      "another root",
    );
    await expect(requireLeadsTo(stranger.publicKey, [], nth(pins, 0))).rejects.toThrow(SealError);
  });

  it("refuses a missing, doubled or foreign link", async () => {
    const [first, second, third] = [nth(chain, 0), nth(chain, 1), nth(chain, 2)];
    const stranger = await root();
    const foreign = { ...(await link(stranger, nth(roots, 2), 2)), rootPublic: nth(roots, 1).publicKey };

    for (const broken of [
      [first, third],
      [first, second, second, third],
      [first, foreign, third],
      [first, await link(nth(roots, 1), nth(roots, 2), 7), third],
    ]) {
      await expect(
        requireLeadsTo(nth(roots, 3).publicKey, broken, nth(pins, 0)),
      ).rejects.toThrow(SealError);
    }
  });

  it("refuses every changed character", async () => {
    const good = nth(chain, 0);

    for (let at = 0; at < good.jws.length; at++) {
      const jws = good.jws.slice(0, at) + (good.jws[at] === "A" ? "B" : "A") + good.jws.slice(at + 1);
      await expect(
        requireLeadsTo(nth(roots, 1).publicKey, [{ ...good, jws }], nth(pins, 0)),
      ).rejects.toThrow(SealError);
    }
  });

  it("refuses more links than anybody has to follow", async () => {
    const many = Array.from({ length: MAX_LINKS + 1 }, () => nth(chain, 0));

    await expect(requireLeadsTo(nth(roots, 1).publicKey, many, nth(pins, 0))).rejects.toThrow(
      "at most 16",
    );
  });
});
