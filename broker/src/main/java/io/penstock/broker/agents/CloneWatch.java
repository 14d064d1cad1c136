package io.penstock.broker.agents;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Tells an agent that was restarted from one that was copied. Both come with a new boot id while a
/// session of another boot id seems alive; only the copied one's session answers when asked. A
/// process that was killed cannot answer, however recently it died, so that no restart is ever
/// taken for a clone.
final class CloneWatch {
  static final Duration PROBE = Duration.ofSeconds(3);

  private final LiveSessions live;

  CloneWatch(LiveSessions live) {
    this.live = live;
  }

  /// Whether another process on the same unlock secret is alive. Sessions of another process that
  /// stay silent are closed.
  boolean otherProcessLives(String agent, byte[] bootId) {
    List<LiveSession> others =
        live.of(agent).stream()
            .filter(LiveSession::isOpen)
            .filter(session -> !Arrays.equals(session.admission().bootId(), bootId))
            .toList();
    List<CompletableFuture<Boolean>> probes =
        others.stream().map(session -> session.probe(PROBE).toCompletableFuture()).toList();
    if (probes.stream().anyMatch(CloneWatch::answered)) {
      return true;
    }
    others.forEach(session -> session.close(ErrorCode.REPLACED, "the agent was started anew"));
    return false;
  }

  /// The probe itself ends after [#PROBE]; a session that loses it is as silent as a dead one.
  private static boolean answered(CompletableFuture<Boolean> probe) {
    try {
      return probe.get(PROBE.plusSeconds(1).toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException _) {
      return false;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
