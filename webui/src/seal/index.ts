/** Sealing of configuration secrets in the browser (docs/sealed-configuration.md). */
export { base64url, fromBase64url, SealError, sha256, type Bytes } from "./bytes";
export { verifyAgentRecord, verifyKeyset, type AgentRecord, type Keyset } from "./agentRecord";
export { type RootLink } from "./rootChain";
export { destinationOf, type SealedFor } from "./sealedFor";
export {
  carryForward,
  hashesOf,
  open,
  recipientOf,
  seal,
  type Secrets,
  type SealedSecrets,
  type SecretsHashes,
} from "./sealedSecrets";
