package io.penstock.agent.config;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where work happens that waits for a broker, a store of secrets or a plugin, so that the
/// configuration's thread never does: each system's on a virtual thread of its own, one piece after
/// the other, and what follows from it on the configuration's thread. Of that thread.
final class Workshop {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final Consumer<Work> back;

  /// What waits behind the piece that is under way; no entry = idle.
  private final Map<String, ArrayDeque<Supplier<Runnable>>> busy = new HashMap<>();

  /// @param back brings work to the configuration's thread; may block
  Workshop(Consumer<Work> back) {
    this.back = back;
  }

  boolean isBusy(String system) {
    return busy.containsKey(system);
  }

  /// @param work on a thread of its own; what it returns runs on the configuration's
  void begin(String system, Supplier<Runnable> work) {
    ArrayDeque<Supplier<Runnable>> before = busy.get(system);
    if (before != null) {
      before.add(work);
      return;
    }
    busy.put(system, new ArrayDeque<>());
    start(system, work);
  }

  private void start(String system, Supplier<Runnable> work) {
    Thread.ofVirtual()
        .name("system-" + system)
        .start(() -> back.accept(new Work.Done(system, settlement(system, work))));
  }

  private static Runnable settlement(String system, Supplier<Runnable> work) {
    try {
      return work.get();
    } catch (RuntimeException | Error bug) {
      // A plugin that lacks a class must not make its system busy for ever.
      return () -> LOG.error("{}: internal error", system, bug);
    }
  }

  /// The next piece may begin.
  void done(String system) {
    ArrayDeque<Supplier<Runnable>> waiting = busy.get(system);
    Supplier<Runnable> next = waiting == null ? null : waiting.poll();
    if (next == null) {
      busy.remove(system);
    } else {
      start(system, next);
    }
  }
}
