package io.penstock.broker.agents;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Shows changed keys of the owner on tunnels that are up, or came up with what message 2 showed
/// before the change (`docs/protocol.md`, section 2, "New keys on a live tunnel").
final class OwnersNews {
  /// Longer than from message 2 to READY.
  private static final Duration NEWS_FOR = Duration.ofSeconds(60);

  private final BrokerKeys keys;
  private final LiveSessions live;
  private final Clock clock;
  private volatile News newest = new News(0, Instant.MIN, null);

  private record News(long number, Instant at, @Nullable OwnerKeys message) {}

  OwnersNews(BrokerKeys keys, LiveSessions live, Clock clock) {
    this.keys = keys;
    this.live = live;
    this.clock = clock;
  }

  /// Tells every tunnel of this node.
  synchronized void tell() {
    var message = message();
    newest = new News(newest.number() + 1, clock.instant(), message);
    for (LiveSession session : live.all()) {
      session.send(message);
    }
  }

  private OwnerKeys message() {
    BrokerKeys.Owner owner = keys.owner();
    return new OwnerKeys(
        owner.keysetJws(), owner.root().octets().bytes(), NodeIdentity.crossSignatures(owner));
  }

  /// What a tunnel that is about to be admitted may have missed.
  ///
  /// @return for [#catchUp]
  long tellRecent(Consumer<ControlMessage> send) {
    News news = newest;
    if (news.message() != null && clock.instant().isBefore(news.at().plus(NEWS_FOR))) {
      send.accept(news.message());
    }
    return news.number();
  }

  /// Once it is among the live ones: what came in between.
  void catchUp(long told, Consumer<ControlMessage> send) {
    News news = newest;
    if (news.message() != null && news.number() != told) {
      send.accept(news.message());
    }
  }
}
