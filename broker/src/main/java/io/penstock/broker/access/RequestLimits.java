package io.penstock.broker.access;

import io.penstock.broker.config.BrokerConfig;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;

/// How often an address, a person and a sign-in may call, and how many bad tokens an address may
/// show. Each answer is 0 to go on, or the seconds to wait. Thread-safe, never blocks.
public final class RequestLimits {
  private final TokenBuckets addresses;
  private final TokenBuckets people;
  private final TokenBuckets sessions;
  private final TokenBuckets invokers;
  private final Attempts badTokens;

  public RequestLimits(BrokerConfig.Access limits, LongSupplier nanoTime) {
    addresses = new TokenBuckets(limits.requestsPerAddress(), nanoTime);
    people = new TokenBuckets(limits.requestsPerUser(), nanoTime);
    sessions = new TokenBuckets(limits.requestsPerToken(), nanoTime);
    invokers = new TokenBuckets(limits.invocationsPerCaller(), nanoTime);
    badTokens = new Attempts(limits.badTokensPerSource(), limits.badTokenWindow());
  }

  public int ofAddress(Optional<String> address) {
    return addresses.secondsToWait(Sources.of(address));
  }

  /// Counts a token that is none of ours. Good tokens of the same address are not touched.
  public int ofBadToken(Optional<String> address) {
    String source = Sources.of(address);
    int seconds = badTokens.blockedSeconds(source).orElse(0);
    if (seconds == 0) {
      badTokens.failed(source);
    }
    return seconds;
  }

  public int ofPerson(Actor actor) {
    UUID session = actor.session();
    return Math.max(people.secondsToWait(actor.name()), sessions.secondsToWait(session.toString()));
  }

  public int ofInvoker(String name) {
    return invokers.secondsToWait(name);
  }
}
