package io.penstock.broker.access;

import io.penstock.broker.config.BrokerConfig;
import java.util.OptionalInt;

/// Limits on guessing passwords: of one source, of one source at one account, and of everybody at
/// one account. Only wrong guesses count.
///
/// The first and the last must not be ways to lock somebody out, so they do not hold for *familiar*
/// sources, from which that person has signed in before. Thread-safe, never blocks.
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
    return byPair.blockedSeconds(pair(account, source));
  }

  /// Seconds to wait, once it is known whether the source is familiar.
  OptionalInt blocked(String account, String source, boolean familiar) {
    OptionalInt pair = blocked(account, source);
    if (pair.isPresent() || familiar) {
      return pair;
    }
    OptionalInt ofSource = bySource.blockedSeconds(source);
    return ofSource.isPresent() ? ofSource : byAccount.blockedSeconds(account);
  }

  void failed(String account, String source, boolean familiar) {
    bySource.failed(source);
    byPair.failed(pair(account, source));
    if (!familiar) {
      byAccount.failed(account);
    }
  }

  void succeeded(String account, String source) {
    byPair.succeeded(pair(account, source));
  }

  void forgive(String account) {
    byAccount.succeeded(account);
  }

  private static String pair(String account, String source) {
    return source + " " + account;
  }
}
