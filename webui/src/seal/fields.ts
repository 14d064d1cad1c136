import { SealError, type Bytes } from "./bytes";

/** A member of a signed payload that is text, not empty. */
export function string(object: Record<string, unknown>, name: string): string {
  const value = object[name];
  if (typeof value !== "string" || value === "") {
    throw new SealError(`${name}: expected text`);
  }
  return value;
}

/** A member of a signed payload that is a whole number. */
export function integer(object: Record<string, unknown>, name: string): number {
  const value = object[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new SealError(`${name}: expected a whole number`);
  }
  return value;
}

export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
