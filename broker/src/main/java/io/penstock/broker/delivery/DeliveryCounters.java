package io.penstock.broker.delivery;

import java.util.concurrent.atomic.LongAdder;

/// What happened to messages on this node, since its start. Thread-safe.
public final class DeliveryCounters {

  /// @param sent MESSAGEs, those sent again included
  /// @param acknowledged by receipts that were recorded
  /// @param superseded dropped because a newer message took their place
  /// @param expired instructions that were not answered in their time
  /// @param late receipts of messages that were gone already
  /// @param fenced receipts on sessions that a newer epoch had overtaken
  /// @param refused receipts that no honest agent sends
  public record Snapshot(
      long sent,
      long acknowledged,
      long superseded,
      long expired,
      long late,
      long fenced,
      long refused) {}

  final LongAdder sent = new LongAdder();
  final LongAdder acknowledged = new LongAdder();
  final LongAdder superseded = new LongAdder();
  final LongAdder expired = new LongAdder();
  final LongAdder late = new LongAdder();
  final LongAdder fenced = new LongAdder();
  final LongAdder refused = new LongAdder();

  public Snapshot snapshot() {
    return new Snapshot(
        sent.sum(),
        acknowledged.sum(),
        superseded.sum(),
        expired.sum(),
        late.sum(),
        fenced.sum(),
        refused.sum());
  }
}
