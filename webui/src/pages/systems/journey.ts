/** Where a version is on its way from a form to a running system. */
export interface Stop {
  readonly name: string;
  readonly text: string;
  readonly at: "done" | "now" | "later" | "bad";
}

const ORDER = ["sealed", "buffered", "delivered", "verified", "applied"] as const;

const TEXT: Readonly<Record<(typeof ORDER)[number], string>> = {
  sealed: "Sealed to the agent and signed by the broker",
  buffered: "Deployed; kept until the agent takes it",
  delivered: "On the agent's tunnel, its receipt is due",
  verified: "Signature, version, hashes and destination hold at the agent",
  applied: "It serves; the agent's signed receipt says so",
};

/**
 * The stops of a version. The agent's receipt tells of verifying and applying at once; what is refused for
 * its signature or content was not verified, the rest was and did not start.
 */
export function journeyOf(state: string, reason: string | null): readonly Stop[] {
  const reached =
    state === "applied" ? 5 : state === "delivered" ? 2 : state === "buffered" ? 1 : state === "sealed" ? 0 : 2;
  const refusedAt = state !== "refused" ? -1 : isUnverified(reason) ? 3 : 4;
  return ORDER.map((name, index) => {
    if (refusedAt >= 0) {
      return {
        name,
        text: TEXT[name],
        at: index < refusedAt ? "done" : index === refusedAt ? "bad" : "later",
      };
    }
    const at = index < reached ? "done" : index === reached ? (reached === 0 ? "done" : "now") : "later";
    return { name, text: TEXT[name], at };
  });
}

/** The agent's words for what held and was then not started. */
const NOT_APPLIED: ReadonlySet<string> = new Set(["start-failed", "crash-loop", "missing-secret-reference"]);

function isUnverified(reason: string | null): boolean {
  return reason === null || !NOT_APPLIED.has(reason);
}
