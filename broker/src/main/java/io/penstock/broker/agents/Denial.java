package io.penstock.broker.agents;

import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
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
  /// A gateway that wants plain tokens, which are off.
  PLAIN_BEARER,
  TAMPERED,
  PROOF_FAILED;

  /// What the agent hears. The tunnel sends it no sooner than it answers a wrong secret, and in the
  /// same words, so that neither tells a stranger whether a token exists, was used, or is meant for
  /// another place (`docs/protocol.md`, section 2).
  static TunnelRefused answer() {
    return new TunnelRefused(ErrorCode.ENROLL_DENIED, 0, "enrollment denied");
  }

  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
