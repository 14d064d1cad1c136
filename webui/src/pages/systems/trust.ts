import { api, done } from "../../api/client";
import { base64url, fromBase64url, SealError, verifyAgentRecord, verifyKeyset, sha256, type AgentRecord, type RootLink } from "../../seal";

/**
 * What this browser remembers: the broker's root, and for each agent the key that it sealed to last. The
 * broker's word for a key is not enough (docs/sealed-configuration.md).
 */
export interface Pins {
  readonly root: string | null;
  readonly agents: Readonly<Record<string, { readonly generation: number; readonly key: string }>>;
}

const KEY = "penstock.pins";

/** What stands there is no memory of ours: whether a key is the one from before cannot be told. */
export class DamagedPinsError extends SealError {
  constructor() {
    super("What this browser remembers of keys is damaged, so a changed key could not be noticed.");
  }
}

export const NO_PINS: Pins = { root: null, agents: {} };

export function readPins(text: string | null): Pins {
  if (text === null) {
    return NO_PINS;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DamagedPinsError();
  }
  if (!isPins(value)) {
    throw new DamagedPinsError();
  }
  return value;
}

function isPins(value: unknown): value is Pins {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const { root, agents } = value as Partial<Record<"root" | "agents", unknown>>;
  return (
    (root === null || typeof root === "string") &&
    typeof agents === "object" &&
    agents !== null &&
    Object.values(agents).every(isPin)
  );
}

function isPin(value: unknown): boolean {
  const pin = value as Partial<Record<"generation" | "key", unknown>> | null;
  return typeof pin?.generation === "number" && typeof pin.key === "string";
}

export function storedPins(): Pins {
  return readPins(localStorage.getItem(KEY));
}

export function storePins(pins: Pins): void {
  localStorage.setItem(KEY, JSON.stringify(pins));
}

export type SealingKey = Awaited<ReturnType<typeof fetchSealingKey>>;

export function fetchSealingKey(agent: string) {
  return done(api.GET("/api/v1/agents/{id}/sealing-key", { params: { path: { id: agent } } }));
}

/** A proven key, and whether a person has to confirm it. */
export interface Proven {
  readonly record: AgentRecord;
  readonly key: string;
  readonly rootSha256: string;
  readonly firstRoot: boolean;
  /** Another key or generation than the one sealed to from here before. */
  readonly changed: boolean;
}

/**
 * Follows the signatures from the remembered root to the agent's key. Throws where they do not lead
 * there; the first root that is seen is taken, and remembered.
 */
export async function prove(agent: string, shown: SealingKey, pins: Pins, now: Date): Promise<Proven> {
  const root = fromBase64url(shown.root_public, "root_public", 32);
  const pinned = pins.root === null ? await sha256(root) : fromBase64url(pins.root, "the remembered root", 32);
  const links: RootLink[] = ((shown.cross_signatures as unknown[] | undefined) ?? []).map((link) => {
    const { root_public, jws } = link as { root_public: string; jws: string };
    return { rootPublic: fromBase64url(root_public, "root_public", 32), jws };
  });
  const keyset = await verifyKeyset(shown.keyset, root, pinned, now, links);
  const record = await verifyAgentRecord(shown.record, keyset);
  if (record.agent !== agent) {
    throw new SealError("the signed record is of another agent");
  }
  const key = base64url(await sha256(record.sealingPublic));
  const known = pins.agents[agent];
  return {
    record,
    key,
    rootSha256: base64url(await sha256(root)),
    firstRoot: pins.root === null,
    changed: known !== undefined && (known.key !== key || known.generation !== record.generation),
  };
}

export function remembered(pins: Pins, proven: Proven): Pins {
  return {
    root: proven.rootSha256,
    agents: {
      ...pins.agents,
      [proven.record.agent]: { generation: proven.record.generation, key: proven.key },
    },
  };
}
