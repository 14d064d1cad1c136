package io.penstock.broker.agents;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/// Lets the connections of one agent be admitted one after the other, so that two processes on one
/// unlock secret always see each other. At most 16 connections of an agent wait; another is turned
/// away. Thread-safe.
final class Turns {
  private static final int MAX_WAITING = 16;
  private static final int COUNTERS = 1024;

  private final Map<String, Line> lines = new ConcurrentHashMap<>();

  /// Turns that are over; several agents share one counter.
  private final AtomicLongArray over = new AtomicLongArray(COUNTERS);

  private static final class Line {
    final Semaphore turn = new Semaphore(1, true);
    int members;
  }

  /// Held while one connection is admitted.
  final class Turn implements AutoCloseable {
    private final String agent;
    private final Line line;

    private Turn(String agent, Line line) {
      this.agent = agent;
      this.line = line;
    }

    @Override
    public void close() {
      over.incrementAndGet(counter(agent));
      line.turn.release();
      leave(agent);
    }
  }

  /// Moves on with every turn of the agent that ends, and of others at times: who sees the same
  /// number before and while he has his turn knows that nobody had one in between.
  long over(String agent) {
    return over.get(counter(agent));
  }

  private static int counter(String agent) {
    return Math.floorMod(agent.hashCode(), COUNTERS);
  }

  /// Empty: the line is too long, or did not move within `within`.
  Optional<Turn> take(String agent, Duration within) {
    Line line = lines.compute(agent, (_, present) -> entered(present));
    if (line.members <= MAX_WAITING + 1 && acquired(line.turn, within)) {
      return Optional.of(new Turn(agent, line));
    }
    leave(agent);
    return Optional.empty();
  }

  int size() {
    return lines.size();
  }

  private static Line entered(@Nullable Line present) {
    Line line = present == null ? new Line() : present;
    line.members++;
    return line;
  }

  private void leave(String agent) {
    lines.computeIfPresent(agent, (_, line) -> --line.members == 0 ? null : line);
  }

  static boolean acquired(Semaphore semaphore, Duration within) {
    try {
      return semaphore.tryAcquire(within.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
