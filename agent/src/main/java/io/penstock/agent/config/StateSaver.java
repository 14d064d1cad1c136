package io.penstock.agent.config;

import java.io.IOException;
import java.time.Duration;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings the state to the disk; a disk that does not take it is tried again after a pause that
/// doubles from half a second to half a minute. Time is passed in. One owner.
final class StateSaver {
  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofSeconds(30);
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final StateKeeper keeper;
  private boolean failed;
  private Duration pause = FIRST;
  private long dueNanos;

  StateSaver(StateKeeper keeper) {
    this.keeper = keeper;
  }

  /// True: all of the state is on disk. False: nobody may hear of what is only in memory.
  boolean save(long nowNanos) {
    if (failed && dueNanos - nowNanos > 0) {
      return false;
    }
    try {
      keeper.save();
      if (failed) {
        LOG.info("the state of the configuration is stored again");
      }
      failed = false;
      pause = FIRST;
      return true;
    } catch (IOException disk) {
      LOG.error(
          "cannot store the state of the configuration, receipts wait for it: {}; tried again in"
              + " {} ms",
          disk.toString(),
          pause.toMillis());
      failed = true;
      dueNanos = nowNanos + pause.toNanos();
      pause = pause.compareTo(LONGEST.dividedBy(2)) < 0 ? pause.multipliedBy(2) : LONGEST;
      return false;
    }
  }

  /// Nanoseconds until the next try; empty = none waits.
  OptionalLong next(long nowNanos) {
    return failed ? OptionalLong.of(dueNanos - nowNanos) : OptionalLong.empty();
  }
}
