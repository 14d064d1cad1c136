package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.Tx;
import java.util.Map;
import java.util.Optional;

/// What has to be proven or acted on later, written in the transaction of the change itself: audit
/// log with its outbox, and alarms. A change that cannot be recorded does not happen.
interface Ledger {
  void audit(Tx tx, Entry entry);

  /// The same kind and subject again is the same alarm until somebody acknowledges it.
  ///
  /// @param from the address that it came from
  /// @return false: one more occurrence of an open one
  boolean alarm(Tx tx, Alarm alarm, String subject, String message, Optional<String> from);

  enum Alarm {
    /// A second process on one unlock secret, or an unlock key that was retired.
    AGENT_CLONED,
    TOKEN_REUSED,
    /// Somebody knows a token's id but not its secret, or its row was changed.
    TOKEN_SECRET_WRONG,
    /// Rows changed behind the broker's back.
    DATABASE_TAMPERED,
    /// The signed list of the revoked is not the keystore's.
    REVOCATIONS_TAMPERED,
    /// The dev key was right, the signature of the identity was not.
    IDENTITY_MISMATCH
  }

  /// @param type the seed's event type, such as `gateway.approve`
  /// @param subject name of the agent, or the id of a token
  /// @param result `success`, `denied`, `failure`
  /// @param by empty for what agents do themselves
  /// @param from where an agent came from
  record Entry(
      String type,
      String subject,
      String result,
      Optional<String> reason,
      Optional<Actor> by,
      Optional<String> from,
      Map<String, Object> changes) {

    static Entry of(String type, String subject) {
      return new Entry(
          type, subject, "success", Optional.empty(), Optional.empty(), Optional.empty(), Map.of());
    }

    /// Somebody who is not who he says, or may not be here.
    static Entry failure(String subject, String from, String why) {
      return new Entry(
          "authentication.failure",
          subject,
          "failure",
          Optional.of(why),
          Optional.empty(),
          Optional.of(from),
          Map.of());
    }

    Entry denied(Decision why) {
      return new Entry(type, subject, "denied", Optional.of(why.text()), by, from, changes);
    }

    Entry because(String why) {
      return new Entry(type, subject, result, Optional.of(why), by, from, changes);
    }

    Entry by(Actor operator) {
      return new Entry(type, subject, result, reason, Optional.of(operator), from, changes);
    }

    Entry from(String address) {
      return new Entry(type, subject, result, reason, by, Optional.of(address), changes);
    }

    Entry with(Map<String, Object> what) {
      return new Entry(type, subject, result, reason, by, from, what);
    }
  }
}
