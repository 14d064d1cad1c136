package io.penstock.broker.access;

import io.penstock.broker.config.BrokerConfig;
import java.util.OptionalInt;

/// Limits on guessing passwords: of one source, of one source at one account, and of everybody at
/// one account.
///
/// The last one must not be a way to lock somebody out, so it does not hold for *familiar* sources,
/// from which that person has signed in before. Thread-safe, never blocks.
final class SignInGate {
  private final Attempts bySource;
  private final Attempts byPair;
  private final Attempts byAccount;

  SignInGate(BrokerConfig.Access limits) {
    bySource = new Attempts(limits.loginsPerSource(), limits.loginWindow());
    byPair = new Attempts(limits.loginsPerAccount(), limits.loginWindow());
    byAccount = new Attempts(limits.loginsPerAccountInAll(), limits.loginWindow());
  }

  /// Seconds to wait, whoever it is: asked before anything is looked up.
  OptionalInt blocked(String account, String source) {
    OptionalInt pair = byPair.blockedSeconds(pair(account, source));
    return pair.isPresent() ? pair : bySource.blockedSeconds(source);
  }

  /// Seconds to wait for somebody from a source that is not familiar.
  OptionalInt blockedForStrangers(String account) {
    return byAccount.blockedSeconds(account);
  }

  /// Counted before the slow check, so that guesses side by side do not slip past the limit.
  void entered(String account, String source, boolean familiar) {
    bySource.failed(source);
    byPair.failed(pair(account, source));
    if (!familiar) {
      byAccount.failed(account);
    }
  }

  /// It was no guess.
  void leftWithoutGuess(String account, String source, boolean familiar) {
    bySource.undo(source);
    byPair.undo(pair(account, source));
    if (!familiar) {
      byAccount.undo(account);
    }
  }

  void succeeded(String account, String source, boolean familiar) {
    leftWithoutGuess(account, source, familiar);
    byPair.succeeded(pair(account, source));
  }

  /// A refresh token that is none.
  void failed(String source) {
    bySource.failed(source);
  }

  void forgive(String account) {
    byAccount.succeeded(account);
  }

  OptionalInt blockedSource(String source) {
    return bySource.blockedSeconds(source);
  }

  private static String pair(String account, String source) {
    return source + " " + account;
  }
}
