package io.penstock.broker.agents;

/// A named place where a test makes the broker die, as a power cut would. Off unless the system
/// property `penstock.failpoint` names it.
public interface Failpoint {
  String PROPERTY = "penstock.failpoint";
  String ENROLL_AFTER_COMMIT = "enroll-after-commit";

  /// The list of the revoked is in the database, and not yet in the keystore.
  String REVOKE_AFTER_COMMIT = "revoke-after-commit";

  /// One agent is carried over to new keys, others may not be.
  String KEK_AFTER_AGENT = "kek-after-agent";

  int KILLED = 137;

  void passed(String name);

  /// Halts the process where the property says so.
  static Failpoint ofProperty() {
    String armed = System.getProperty(PROPERTY, "");
    return name -> {
      if (name.equals(armed)) {
        Runtime.getRuntime().halt(KILLED);
      }
    };
  }
}
