package io.penstock.broker.agents;

import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.TunnelRefused;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/// Pending agents whose tunnel is open while an operator decides. At most 1,024; another one is
/// told
/// to come again. Thread-safe.
final class WaitingRoom {
  static final int SEATS = 1024;

  private final Map<Seat, Waiter> waiting = new ConcurrentHashMap<>();
  private final AtomicInteger taken = new AtomicInteger();

  /// One enrollment that waits.
  record Seat(String agent, long generation) {}

  enum Outcome {
    APPROVED,
    /// Rejected, expired, revoked, or another enrollment took its place.
    GONE,
    /// The same enrollment waits on a newer tunnel.
    REPLACED,
    /// The tunnel is closed, or nothing was decided in time.
    LEFT
  }

  /// Takes a seat before the agent is told that it waits, so that no decision is missed. The tunnel
  /// that waited for the same enrollment leaves.
  Waiter enter(Seat seat) throws TunnelRefused {
    if (taken.incrementAndGet() > SEATS) {
      taken.decrementAndGet();
      throw Doorway.unavailable();
    }
    var waiter = new Waiter(seat);
    Optional.ofNullable(waiting.put(seat, waiter))
        .ifPresent(before -> before.outcome.complete(Outcome.REPLACED));
    return waiter;
  }

  void decided(Seat seat, Outcome outcome) {
    Optional.ofNullable(waiting.get(seat)).ifPresent(waiter -> waiter.outcome.complete(outcome));
  }

  /// Who waits here now.
  Set<Seat> seats() {
    return Set.copyOf(waiting.keySet());
  }

  /// One tunnel on its seat.
  final class Waiter implements AutoCloseable {
    private final Seat seat;
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();

    private Waiter(Seat seat) {
      this.seat = seat;
    }

    Outcome await(ControlChannel channel, Duration within) {
      Thread.ofVirtual().name("pending-tunnel").start(() -> watch(channel, within));
      try {
        return outcome.get(within.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException _) {
        return Outcome.LEFT;
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return Outcome.LEFT;
      } catch (ExecutionException impossible) {
        throw new IllegalStateException("a decision is never an exception", impossible);
      }
    }

    /// Ends with the tunnel, which ends soon after [#await] returns.
    private void watch(ControlChannel channel, Duration within) {
      if (channel.awaitClosed(within)) {
        outcome.complete(Outcome.LEFT);
      }
    }

    @Override
    public void close() {
      waiting.remove(seat, this);
      taken.decrementAndGet();
    }
  }
}
