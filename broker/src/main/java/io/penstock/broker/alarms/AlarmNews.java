package io.penstock.broker.alarms;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// That an alarm was raised, changed or cleared, by whichever node: Postgres tells it at the
/// commit. Thread-safe; who listens is called on an event loop and must not block.
public final class AlarmNews {
  private final List<Consumer<News>> listeners = new CopyOnWriteArrayList<>();

  /// What happened.
  public sealed interface News {
    record Raised(long id) implements News {}

    /// It came again, or somebody acknowledged it.
    record Changed(long id) implements News {}

    record Cleared(long id) implements News {}

    /// Some of it may have been missed.
    record Anything() implements News {}
  }

  public void listen(Consumer<News> listener) {
    listeners.add(listener);
  }

  /// What a node (this one too) announced.
  public void hint(String payload) {
    hear(read(payload).orElseGet(News.Anything::new));
  }

  /// From now on nothing is missed; before, something may have been.
  public void listening() {
    hear(new News.Anything());
  }

  private void hear(News news) {
    listeners.forEach(listener -> listener.accept(news));
  }

  /// Empty for what a newer broker says.
  private static Optional<News> read(String payload) {
    String[] words = payload.toLowerCase(Locale.ROOT).split(" ", -1);
    try {
      long id = Long.parseLong(words[words.length - 1]);
      return switch (words[0]) {
        case "raised" -> Optional.of(new News.Raised(id));
        case "changed" -> Optional.of(new News.Changed(id));
        case "cleared" -> Optional.of(new News.Cleared(id));
        default -> Optional.empty();
      };
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }
}
