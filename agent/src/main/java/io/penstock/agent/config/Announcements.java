package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.plugin.SystemCatalog;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// The tunnels that are up, and what each was told of rules and states: after every change, but not
/// more often than twenty times a second, because each time all of it is told. One owner.
final class Announcements {
  static final long APART_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final SystemCatalog catalog;
  private final Deployments deployments;
  private final List<ConfigurationLine> lines = new ArrayList<>();
  private boolean due;
  private boolean everTold;
  private long toldNanos;

  Announcements(SystemCatalog catalog, Deployments deployments) {
    this.catalog = catalog;
    this.deployments = deployments;
  }

  void admitted(ConfigurationLine line) {
    lines.remove(line);
    if (line.isOpen()) {
      lines.add(line);
    }
    due = true;
  }

  void lost(ConfigurationLine line) {
    lines.remove(line);
  }

  boolean hasLine() {
    lines.removeIf(line -> !line.isOpen());
    return !lines.isEmpty();
  }

  List<ConfigurationLine> lines() {
    lines.removeIf(line -> !line.isOpen());
    return List.copyOf(lines);
  }

  /// The one that was admitted last: its keyset and clock are the newest.
  Optional<ConfigurationLine> anyLine() {
    List<ConfigurationLine> open = lines();
    return open.isEmpty() ? Optional.empty() : Optional.of(open.getLast());
  }

  void changed() {
    due = true;
  }

  /// Tells what is due, unless it was told a moment ago.
  void tell(long nowNanos) {
    if (due && waitNanos(nowNanos) == 0) {
      due = false;
      everTold = true;
      toldNanos = nowNanos;
      var rules = catalog.effectiveRules();
      var report = deployments.report();
      lines().forEach(line -> line.announce(rules, report));
    }
  }

  boolean isDue() {
    return due;
  }

  long waitNanos(long nowNanos) {
    return everTold ? Math.max(0, toldNanos + APART_NANOS - nowNanos) : 0;
  }
}
