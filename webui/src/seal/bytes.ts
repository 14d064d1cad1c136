/** Bytes as the other files here need them. */

export type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What does not hold: forged, cut, for another purpose. The message never quotes its input. */
export class SealError extends Error {
  override readonly name = "SealError";
}

export function utf8(text: string): Bytes {
  return ENCODER.encode(text);
}

export function text(bytes: Bytes): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new SealError("not UTF-8");
  }
}

export function concat(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

export function base64url(bytes: Bytes): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Unpadded, one spelling per value; anything else is refused. */
export function fromBase64url(encoded: unknown, what: string, length?: number): Bytes {
  if (typeof encoded !== "string" || !/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) {
    throw new SealError(`${what}: expected base64url`);
  }
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  if (base64url(bytes) !== encoded) {
    throw new SealError(`${what}: expected canonical base64url`);
  }
  if (length !== undefined && bytes.length !== length) {
    throw new SealError(`${what}: expected ${String(length)} bytes, found ${String(bytes.length)}`);
  }
  return bytes;
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
