package io.penstock.agent.link;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How a slot fares, for health and metrics. Thread-safe.
public final class SlotStatus {
  private final int slot;
  private final Map<Stage, Long> failures = new EnumMap<>(Stage.class);
  private @Nullable BrokerAddress broker;
  private @Nullable String lastFailure;
  private long admissions;

  SlotStatus(int slot) {
    this.slot = slot;
  }

  public int slot() {
    return slot;
  }

  synchronized void up(BrokerAddress at) {
    broker = at;
    lastFailure = null;
    admissions++;
  }

  synchronized void failed(LinkFailure failure, Duration nextTry) {
    failures.merge(failure.stage(), 1L, Long::sum);
    lastFailure = failure.stage().text() + " failed: " + failure.text();
  }

  public synchronized Map<Stage, Long> failures() {
    return Map.copyOf(failures);
  }

  /// Empty while the tunnel is up.
  public synchronized Optional<String> lastFailure() {
    return Optional.ofNullable(lastFailure);
  }

  public synchronized Optional<BrokerAddress> broker() {
    return Optional.ofNullable(broker);
  }

  public synchronized long admissions() {
    return admissions;
  }
}
