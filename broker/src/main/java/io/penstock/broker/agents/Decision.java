package io.penstock.broker.agents;

import java.util.Locale;

/// What came of an operator's decision about an agent.
enum Decision {
  DONE,
  UNKNOWN_AGENT,
  /// The agent is not in a state that allows it.
  WRONG_STATE,
  WRONG_FINGERPRINT,
  /// The agent has not yet opened what was sealed to its key.
  PROOF_MISSING,
  /// A gateway whose tokens whoever holds them may use, and nobody said that he knows.
  PLAIN_BEARER,
  /// The change would leave more labels than an agent may have.
  TOO_MANY_LABELS,
  /// Its rows were changed behind our back: nothing is decided about them but revocation.
  TAMPERED;

  String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
