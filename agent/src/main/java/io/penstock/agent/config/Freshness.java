package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether the newest head has expired, by the broker's clock. Checked by the configuration's
/// thread, asked by any.
final class Freshness {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final NewestHead newest;
  private @Nullable ConfigurationLine clock;
  private volatile boolean stale;

  Freshness(NewestHead newest) {
    this.newest = newest;
  }

  void admitted(ConfigurationLine line) {
    clock = line;
  }

  boolean isStale() {
    return stale;
  }

  void check() {
    ConfigurationLine by = clock;
    boolean before = stale;
    stale = by != null && newest.isStaleAt(by.serverTime());
    if (stale && !before) {
      LOG.warn(
          "configuration is STALE: the newest head has expired; what runs goes on, nothing new is"
              + " applied");
    }
    if (!stale && before) {
      LOG.info("configuration is fresh again");
    }
  }
}
