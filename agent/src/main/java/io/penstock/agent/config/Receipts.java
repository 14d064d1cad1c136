package io.penstock.agent.config;

import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Receipt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// What receipts say, each kept until it may be told: what was applied is on disk first, and rules
/// and states went ahead. Those that answer a message go where it came from; those that nobody
/// asked for (sequence 0: applied or refused at a start, at another try, or by the head) go to any
/// tunnel, if they say something new. Time is passed in. One owner.
final class Receipts {
  /// So many that nobody asked for at once, for the broker has a bound for a session's receipts.
  static final int UNASKED_AT_ONCE = Receipt.MAX_TOGETHER;

  static final Duration UNASKED_APART = Duration.ofMillis(200);

  /// A tunnel that was lost so soon may have taken them along; nobody confirms them. Brokers keep
  /// their sessions for ten minutes without a database, and receipts wait for it.
  private static final Duration UNSURE_FOR = Duration.ofMinutes(15);

  private final StateSaver saver;
  private final Failpoint.Action failpoint;
  private final List<Owed> owed = new ArrayList<>();
  private final Map<String, Word> unasked = new LinkedHashMap<>();
  private final Map<String, Told> told = new HashMap<>();
  private boolean everUnasked;

  /// What waits does not wait for time alone.
  private boolean blocked;

  private long unaskedNanos;

  /// What happened to one version of one system.
  record Word(String system, HeldVersion held, Receipt.Outcome outcome) {
    boolean isApplied() {
      return outcome instanceof Receipt.Applied;
    }

    /// Details differ from try to try.
    boolean saysTheSame(Word other) {
      return held.equals(other.held)
          && (outcome instanceof Receipt.Refused(Receipt.Reason reason, String _)
              ? other.outcome instanceof Receipt.Refused(Receipt.Reason otherReason, String _)
                  && reason == otherReason
              : other.isApplied());
    }
  }

  /// @param sequence of the message; [DeliveryReceipt#NO_MESSAGE] = nobody asked
  record Owed(ConfigurationLine line, long sequence, Word word) {}

  private record Told(Word word, ConfigurationLine line, boolean asked, long atNanos) {}

  Receipts(StateSaver saver, Failpoint.Action failpoint) {
    this.saver = saver;
    this.failpoint = failpoint;
  }

  /// The answer to a message.
  void answer(ConfigurationLine line, long sequence, Word word) {
    // The broker may send a message once more on the same line.
    owed.removeIf(it -> it.line().equals(line) && it.sequence() == sequence);
    owed.add(new Owed(line, sequence, word));
    unasked.remove(word.system());
  }

  /// Nobody asked.
  void tell(Word word) {
    Told before = told.get(word.system());
    boolean isOwed =
        owed.stream()
            .map(Owed::word)
            .anyMatch(it -> it.system().equals(word.system()) && it.saysTheSame(word));
    if (isOwed || (before != null && before.word().saysTheSame(word))) {
      unasked.remove(word.system());
    } else {
      unasked.put(word.system(), word);
    }
  }

  void lost(ConfigurationLine line, long nowNanos) {
    owed.removeIf(it -> it.line().equals(line));
    for (Iterator<Told> all = told.values().iterator(); all.hasNext(); ) {
      Told each = all.next();
      if (each.line().equals(line)
          && !each.asked()
          && nowNanos - each.atNanos() < UNSURE_FOR.toNanos()) {
        all.remove();
        unasked.putIfAbsent(each.word().system(), each.word());
      }
    }
  }

  /// Stores the state, and sends what may be sent.
  ///
  /// @param announced rules and states are told
  /// @param any where to tell what nobody asked for
  void prove(long nowNanos, boolean announced, Optional<ConfigurationLine> any) {
    boolean applied =
        owed.stream().anyMatch(it -> it.word().isApplied())
            || unasked.values().stream().anyMatch(Word::isApplied);
    boolean stored = saver.save(nowNanos);
    if (applied && stored) {
      failpoint.accept(Failpoint.CONFIGURATION_AFTER_STATE);
    }
    blocked = !announced;
    if (blocked) {
      return;
    }
    sendOwed(stored, nowNanos);
    if (any.isPresent() && unaskedWaitNanos(nowNanos) <= 0) {
      sendUnasked(any.get(), stored, nowNanos);
    }
  }

  private void sendOwed(boolean stored, long nowNanos) {
    var ready = new LinkedHashMap<ConfigurationLine, List<Owed>>();
    for (Iterator<Owed> all = owed.iterator(); all.hasNext(); ) {
      Owed each = all.next();
      if (!each.line().isOpen()) {
        // Its message comes again on another.
        all.remove();
      } else if (maySend(each.line(), each.word(), stored)) {
        all.remove();
        ready.computeIfAbsent(each.line(), _ -> new ArrayList<>()).add(each);
      }
    }
    ready.forEach((line, answers) -> send(line, answers, nowNanos));
  }

  private static boolean maySend(ConfigurationLine line, Word word, boolean stored) {
    return line.generation() >= 1 && (stored || !word.isApplied());
  }

  private void sendUnasked(ConfigurationLine line, boolean stored, long nowNanos) {
    var sent = new ArrayList<Owed>();
    for (Iterator<Word> all = unasked.values().iterator(); all.hasNext(); ) {
      Word each = all.next();
      if (sent.size() < UNASKED_AT_ONCE && maySend(line, each, stored)) {
        all.remove();
        sent.add(new Owed(line, DeliveryReceipt.NO_MESSAGE, each));
        everUnasked = true;
        unaskedNanos = nowNanos;
      }
    }
    send(line, sent, nowNanos);
    blocked = sent.isEmpty();
  }

  private long unaskedWaitNanos(long nowNanos) {
    return everUnasked ? unaskedNanos + UNASKED_APART.toNanos() - nowNanos : 0;
  }

  private void send(ConfigurationLine line, List<Owed> answers, long nowNanos) {
    Signing.frames(line, answers).forEach(it -> line.receipt(it.sequence(), it.body()));
    for (Owed each : answers) {
      boolean asked = each.sequence() != DeliveryReceipt.NO_MESSAGE;
      told.put(each.word().system(), new Told(each.word(), line, asked, nowNanos));
    }
  }

  /// Nanoseconds until more can be sent; empty = nothing waits for time alone.
  OptionalLong next(long nowNanos, boolean hasLine) {
    if (unasked.isEmpty() || !hasLine || blocked) {
      return saver.next(nowNanos);
    }
    return OptionalLong.of(Math.max(unaskedWaitNanos(nowNanos), 0));
  }
}
