package io.penstock.broker.agents;

import java.util.Locale;

/// Why an enrollment was refused. The agent hears ENROLL_DENIED and nothing more; this is for
/// audit,
/// alarm and the Admin's token page.
enum Denial {
  UNKNOWN_TOKEN,
  TOKEN_EXPIRED,
  /// Used, by an enrollment that is decided or gone.
  TOKEN_USED,
  /// Used by another dev key: somebody else holds this token.
  TOKEN_REUSED,
  WRONG_NETWORK,
  WRONG_SECRET,
  BAD_SIGNATURE,
  BAD_NAME,
  BAD_KEY,
  NAME_TAKEN,
  NAME_REVOKED,
  KEY_ALREADY_KNOWN,
  TAMPERED,
  PROOF_FAILED;

  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
