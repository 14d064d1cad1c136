package io.penstock.broker.alarms;

import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// How the causes of one kind of alarm are found. An alarm whose cause is not among them any more
/// is cleared after a while.
record Rule(AlarmKind kind, Function<Look, List<Cause>> causes) {
  /// The most that one look finds; the worst come first.
  static final int MOST = 5_000;

  /// One look.
  ///
  /// @param raised subjects with an alarm of this kind: for them less is enough, so that nothing
  ///     comes and goes at its limit
  record Look(Tx tx, Instant now, Set<String> raised) {
    boolean isRaised(String subject) {
      return raised.contains(subject);
    }
  }
}
