package io.penstock.codec.seal;

/// What a signed document is for. Each purpose has its own `typ`, so a signature made for one can
/// never stand for another.
public enum DocumentType {
  KEYSET("penstock-keyset+jws", 16 * 1024),
  /// A root names the next one.
  ROOT_SUCCESSION("penstock-root+jws", 1024),
  NODE_CERTIFICATE("penstock-node+jws", 4 * 1024),
  AGENT_RECORD("penstock-agent-record+jws", 32 * 1024),
  REVOCATION_LIST("penstock-revocations+jws", 1024 * 1024),
  REVOKED("penstock-revoked+jws", 4 * 1024),
  WIPE_ORDER("penstock-wipe+jws", 4 * 1024),
  CONFIGURATION("penstock-configuration+jws", 4 * 1024),
  /// [HeadManifest#MAX_SYSTEMS] systems with the longest names; fits a CONTROL message beside
  /// WELCOME's other fields.
  HEAD_MANIFEST("penstock-head+jws", 224 * 1024),
  /// [Receipt#MAX_TOGETHER] of them.
  RECEIPT("penstock-receipt+jws", 12 * 1024),
  /// How far the audit trail's chain reaches.
  AUDIT_CHECKPOINT("penstock-audit-checkpoint+jws", 2 * 1024);

  private final String typ;
  private final int maxChars;

  DocumentType(String typ, int maxChars) {
    this.typ = typ;
    this.maxChars = maxChars;
  }

  public String typ() {
    return typ;
  }

  /// Longest compact serialization; longer texts are refused before anything is parsed.
  public int maxChars() {
    return maxChars;
  }
}
