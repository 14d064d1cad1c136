import { describe, expect, it } from "vitest";
import { base64url, fromBase64url, SealError, sha256, utf8 } from "../src/seal/bytes";
import { verifyAgentRecord, verifyKeyset } from "../src/seal";
import { hex, unhex, vector } from "./vector";

const ROOT = unhex(vector.signed.root_public);
const NOW = new Date(vector.signed.now * 1000);

async function keyset() {
  return verifyKeyset(vector.signed.keyset, ROOT, await sha256(ROOT), NOW);
}

describe("an agent record", () => {
  it("holds under the pinned root", async () => {
    const record = await verifyAgentRecord(vector.signed.agent_record, await keyset());

    expect(record.agent).toBe(vector.agent);
    expect(record.generation).toBe(vector.generation);
    expect(record.fingerprint).toBe("ABCD-EFGH");
    expect(hex(record.sealingPublic)).toBe(vector.sealing_public);
  });

  it("refuses every changed character", async () => {
    const jws = vector.signed.agent_record;
    const keys = await keyset();

    for (let at = 0; at < jws.length; at++) {
      const changed = jws.slice(0, at) + (jws[at] === "A" ? "B" : "A") + jws.slice(at + 1);
      await expect(verifyAgentRecord(changed, keys)).rejects.toThrow(SealError);
    }
  });

  it("refuses another algorithm, purpose or header member", async () => {
    const keys = await keyset();
    const [, payload, signature] = vector.signed.agent_record.split(".");
    const kid = keys.keys[0]?.kid;

    for (const header of [
      { alg: "none", kid, typ: "penstock-agent-record+jws" },
      { alg: "EdDSA", kid, typ: "penstock-keyset+jws" },
      { alg: "EdDSA", kid, typ: "penstock-agent-record+jws", crit: [] },
      { alg: "EdDSA", kid: "record-0000000000000000", typ: "penstock-agent-record+jws" },
    ]) {
      const encoded = base64url(utf8(JSON.stringify(header)));
      const forged = [encoded, payload, signature].join(".");
      await expect(verifyAgentRecord(forged, keys)).rejects.toThrow(SealError);
    }
  });

  it("refuses a key that the root allowed something else", async () => {
    const keys = await keyset();
    const others = keys.keys.map((key) => ({ ...key, use: "configuration" }));

    await expect(
      verifyAgentRecord(vector.signed.agent_record, { ...keys, keys: others }),
    ).rejects.toThrow("unknown key");
  });
});

describe("a keyset", () => {
  it("refuses a root that is not pinned", async () => {
    const pinned = new Uint8Array(32);

    await expect(verifyKeyset(vector.signed.keyset, ROOT, pinned, NOW)).rejects.toThrow("pinned");
  });

  it("refuses to be used outside its time", async () => {
    const hash = await sha256(ROOT);

    for (const date of ["2020-01-01", "2040-01-01"]) {
      await expect(
        verifyKeyset(vector.signed.keyset, ROOT, hash, new Date(date)),
      ).rejects.toThrow("not valid at this time");
    }
  });
});

describe("base64url", () => {
  it("has one spelling per value", () => {
    expect(() => fromBase64url("AB", "x")).toThrow("canonical");
    for (const text of ["AA==", "A+/A", "AAAAA", "AA\n", " "]) {
      expect(() => fromBase64url(text, "x")).toThrow(SealError);
    }
    expect(fromBase64url("AA", "x", 1)).toEqual(new Uint8Array(1));
  });
});
