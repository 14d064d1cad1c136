import { describe, expect, it } from "vitest";
import { base64url, fromBase64url, SealError, utf8 } from "../src/seal/bytes";
import { hpkeSeal } from "../src/seal/hpke";
import { carryForward, open, recipientOf, seal } from "../src/seal";
import { destinationOf, secretsContext, wrapContext } from "../src/seal/sealedFor";
import { commitmentOf, hashesOf, sealWith, type SealedSecrets } from "../src/seal/sealedSecrets";
import { hex, owner, unhex, vector } from "./vector";

const PUBLIC = unhex(vector.sealing_public);
const SEED = unhex(vector.sealing_seed);
const RECOVERY_PUBLIC = unhex(vector.recovery_public);
const RECOVERY_SEED = unhex(vector.recovery_seed);
const SECRETS = { password: "correct horse battery staple" };

describe("the shared vector", () => {
  it("has our destination, contexts and commitment", async () => {
    const commitment = await commitmentOf(unhex(vector.dek));
    const settings = { ...vector.destination_fields, max_connections: 64 };
    const destination = await destinationOf(settings, ["ca_file", "base_url", "proxy"]);

    expect(hex(destination)).toBe(vector.destination);
    expect(hex(commitment)).toBe(vector.dek_commitment);
    expect(hex(secretsContext(owner))).toBe(vector.secrets_context);
    expect(hex(wrapContext(owner, commitment))).toBe(vector.wrap_context);
  });

  it("has the ciphertext that we make", async () => {
    const sealed = await sealWith(
      utf8(vector.secrets),
      owner,
      [PUBLIC],
      unhex(vector.dek),
      unhex(vector.nonce),
    );

    expect(hex(fromBase64url(sealed.ciphertext, "ciphertext"))).toBe(vector.ciphertext);
    expect(hex(fromBase64url(sealed.dek_commitment, "commitment"))).toBe(vector.dek_commitment);
  });

  it.each(["sealed_by_java", "sealed_by_typescript"] as const)("%s opens", async (by) => {
    const expected: unknown = JSON.parse(vector.secrets);

    expect(await open(vector[by], owner, PUBLIC, SEED)).toEqual(expected);
    expect(await open(vector[by], owner, RECOVERY_PUBLIC, RECOVERY_SEED)).toEqual(expected);
  });
});

describe("the shared vector after a recovery", () => {
  const { recovered } = vector;
  const again = { ...owner, generation: recovered.generation };
  const newPublic = unhex(recovered.sealing_public);
  const newSeed = unhex(recovered.sealing_seed);

  it.each(["sealed_by_java", "sealed_by_typescript"] as const)("%s names its recipients", async (by) => {
    expect(await recipientOf(PUBLIC)).toBe(vector.sealing_recipient);
    expect(await recipientOf(RECOVERY_PUBLIC)).toBe(vector.recovery_recipient);
    expect(await recipientOf(newPublic)).toBe(recovered.sealing_recipient);
    expect(vector[by].wraps.map((wrap) => wrap.recipient)).toEqual([
      vector.sealing_recipient,
      vector.recovery_recipient,
    ]);
    expect(recovered[by].wraps.map((wrap) => wrap.recipient)).toEqual([
      recovered.sealing_recipient,
      vector.recovery_recipient,
    ]);
  });

  it.each(["sealed_by_java", "sealed_by_typescript"] as const)("%s opens for the new generation alone", async (by) => {
    const secrets = await open(vector[by], owner, RECOVERY_PUBLIC, RECOVERY_SEED);

    expect(await open(recovered[by], again, newPublic, newSeed)).toEqual(secrets);
    expect(await open(recovered[by], again, RECOVERY_PUBLIC, RECOVERY_SEED)).toEqual(secrets);
    await expect(open(recovered[by], again, PUBLIC, SEED)).rejects.toThrow("no wrap for this key");
    await expect(open(recovered[by], owner, RECOVERY_PUBLIC, RECOVERY_SEED)).rejects.toThrow(SealError);
    await expect(open(vector[by], again, RECOVERY_PUBLIC, RECOVERY_SEED)).rejects.toThrow(SealError);
  });
});

describe("seal", () => {
  it("opens with the recovery key as with the agent's", async () => {
    const sealed = await seal(SECRETS, owner, PUBLIC, RECOVERY_PUBLIC);

    expect(await open(sealed, owner, PUBLIC, SEED)).toEqual(SECRETS);
    expect(await open(sealed, owner, RECOVERY_PUBLIC, RECOVERY_SEED)).toEqual(SECRETS);
  });

  it("refuses a recovery key that is none, or the agent's own", async () => {
    await expect(seal(SECRETS, owner, PUBLIC, RECOVERY_PUBLIC.slice(1))).rejects.toThrow("expected 1216 bytes");
    await expect(seal(SECRETS, owner, PUBLIC, PUBLIC)).rejects.toThrow("different recipients");
  });

  it("refuses more wraps than the format has, and two to one key", async () => {
    const sealed = await seal(SECRETS, owner, PUBLIC, RECOVERY_PUBLIC);
    const [agents, recovery] = sealed.wraps;
    if (agents === undefined || recovery === undefined) {
      throw new Error("not sealed to two");
    }
    const five = ["a", "b", "c", "d", "e"].map((recipient) => ({ ...agents, recipient }));

    for (const wraps of [[], [agents, agents], five]) {
      await expect(open({ ...sealed, wraps }, owner, PUBLIC, SEED)).rejects.toThrow("different recipients");
    }
  });

  it("opens again, and never twice with the same key or nonce", async () => {
    const first = await seal(SECRETS, owner, PUBLIC);
    const second = await seal(SECRETS, owner, PUBLIC);

    expect(await open(first, owner, PUBLIC, SEED)).toEqual(SECRETS);
    expect(first.dek_commitment).not.toBe(second.dek_commitment);
    expect(first.ciphertext.slice(0, 16)).not.toBe(second.ciphertext.slice(0, 16));
  });

  it("refuses another agent, generation or system", async () => {
    const sealed = await seal(SECRETS, owner, PUBLIC);

    for (const other of [
      { ...owner, agent: "press-line-2" },
      { ...owner, generation: owner.generation + 1 },
      { ...owner, system: "mes" },
      { ...owner, destination: await destinationOf({ base_url: "https://evil.example" }, ["base_url"]) },
    ]) {
      await expect(open(sealed, other, PUBLIC, SEED)).rejects.toThrow(SealError);
    }
  });

  it("refuses a flipped byte of each part", async () => {
    const sealed = await seal(SECRETS, owner, PUBLIC);
    const wrap = sealed.wraps[0];
    if (wrap === undefined) {
      throw new Error("sealed to nobody");
    }

    const ciphertextBytes = fromBase64url(sealed.ciphertext, "").length;
    for (let at = 0; at < ciphertextBytes; at++) {
      const changed = { ...sealed, ciphertext: flipped(sealed.ciphertext, at) };
      await expect(open(changed, owner, PUBLIC, SEED)).rejects.toThrow(SealError);
    }
    for (let at = 0; at < 32; at++) {
      const changed = { ...sealed, dek_commitment: flipped(sealed.dek_commitment, at) };
      await expect(open(changed, owner, PUBLIC, SEED)).rejects.toThrow(SealError);
    }
    const wrapBytes = fromBase64url(wrap.sealed, "").length;
    for (let at = 0; at < wrapBytes; at += at < 1100 ? 37 : 1) {
      const changed = { ...sealed, wraps: [{ ...wrap, sealed: flipped(wrap.sealed, at) }] };
      await expect(open(changed, owner, PUBLIC, SEED)).rejects.toThrow(SealError);
    }
  });

  it("refuses a wrapped key that is not the one committed to", async () => {
    const sealed = await seal(SECRETS, owner, PUBLIC);
    const commitment = fromBase64url(sealed.dek_commitment, "", 32);
    const otherKey = await hpkeSeal(PUBLIC, wrapContext(owner, commitment), new Uint8Array(32));
    const changed: SealedSecrets = {
      ...sealed,
      wraps: sealed.wraps.map((wrap) => ({ ...wrap, sealed: base64url(otherKey) })),
    };

    await expect(open(changed, owner, PUBLIC, SEED)).rejects.toThrow("committed");
  });

  it("refuses over one mebibyte, and quotes no secret", async () => {
    const large = { password: "hunter2".repeat(150_000) };

    await expect(seal(large, owner, PUBLIC)).rejects.toThrow(/at most 1048576 bytes, found \d+$/);
  });

  it("refuses names and keys that are none", async () => {
    await expect(seal(SECRETS, { ...owner, agent: "" }, PUBLIC)).rejects.toThrow(SealError);
    await expect(seal(SECRETS, { ...owner, generation: 0 }, PUBLIC)).rejects.toThrow(SealError);
    await expect(seal(SECRETS, owner, PUBLIC.slice(1))).rejects.toThrow("expected 1216 bytes");
  });
});

describe("carryForward", () => {
  it("returns the very secrets that the header names", async () => {
    const header = await hashesOf(vector.sealed_by_java);

    expect(await carryForward(vector.sealed_by_java, header, PUBLIC)).toBe(vector.sealed_by_java);
  });

  it("refuses secrets of another document, and a key that cannot open them", async () => {
    const header = await hashesOf(vector.sealed_by_java);
    const other = await seal(SECRETS, owner, PUBLIC);
    const onlyAgent = await hashesOf(other);

    await expect(carryForward(other, header, PUBLIC)).rejects.toThrow("version before");
    await expect(carryForward(other, onlyAgent, RECOVERY_PUBLIC)).rejects.toThrow("present key");
  });
});

function flipped(encoded: string, at: number): string {
  const bytes = fromBase64url(encoded, "");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return base64url(bytes);
}
