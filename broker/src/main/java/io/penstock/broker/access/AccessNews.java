package io.penstock.broker.access;

import io.penstock.broker.store.AccessHints;
import io.penstock.broker.store.Tx;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// That somebody's rights changed: told on this node when the change is committed, on every other
/// one by Postgres. What is missed there is seen by whoever looks again, at the latest five seconds
/// later. Thread-safe; who listens must not block.
public final class AccessNews {
  private final List<Consumer<News>> listeners = new CopyOnWriteArrayList<>();
  private final AtomicLong heard = new AtomicLong();

  /// What changed. What was known of it counts no more.
  public sealed interface News {
    /// A sign-in ended.
    record OfSession(UUID id) implements News {}

    /// The role, scope or password of a person changed, or they were disabled, enabled or deleted.
    record OfUser(String email) implements News {}

    record OfService(String account) implements News {}

    /// The list of blocked addresses changed.
    record OfBlocks() implements News {}

    /// A change waits for a second person, or was decided.
    record OfChange(UUID id) implements News {}

    /// Some of it may have been missed.
    record Anything() implements News {}
  }

  public void listen(Consumer<News> listener) {
    listeners.add(listener);
  }

  /// Counts what was heard: who looks something up and finds another number afterwards may have
  /// read what was true before, and must not keep it.
  long count() {
    return heard.get();
  }

  /// Tells everybody, once `tx` is committed.
  public void tell(Tx tx, News news) {
    AccessHints.announce(tx, text(news));
    tx.afterCommit(() -> hear(news));
  }

  private void hear(News news) {
    heard.incrementAndGet();
    listeners.forEach(listener -> listener.accept(news));
  }

  /// What another node (or this one) announced. Called on an event loop.
  public void hint(String payload) {
    hear(read(payload).orElseGet(News.Anything::new));
  }

  /// From now on nothing is missed; before, something may have been.
  public void listening() {
    hear(new News.Anything());
  }

  private static String text(News news) {
    return switch (news) {
      case News.OfSession(UUID id) -> "session " + id;
      case News.OfUser(String email) -> "user " + email;
      case News.OfService(String account) -> "service " + account;
      case News.OfBlocks() -> "blocks";
      case News.OfChange(UUID id) -> "change " + id;
      case News.Anything() -> "anything";
    };
  }

  /// Empty for what a newer broker says.
  private static Optional<News> read(String payload) {
    int space = payload.indexOf(' ');
    String about = payload.substring(space + 1);
    try {
      return switch (space < 0 ? payload : payload.substring(0, space)) {
        case "session" -> Optional.of(new News.OfSession(UUID.fromString(about)));
        case "user" -> Optional.of(new News.OfUser(about));
        case "service" -> Optional.of(new News.OfService(about));
        case "change" -> Optional.of(new News.OfChange(UUID.fromString(about)));
        case "blocks" -> Optional.of(new News.OfBlocks());
        default -> Optional.empty();
      };
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
