package io.penstock.loadtest.report;

import io.penstock.loadtest.watch.JvmMemory;
import java.util.List;

/// What the tunnels of a fleet that stays connected cost their broker, and whether they stayed.
///
/// @param tunnels of one site
/// @param before all agents enrolled, none connected
/// @param idle all connected, no request yet
/// @param idleCpu share of a processor that the broker used then
/// @param losses tunnels that ended during the run, turn by turn, as text; none is as it should be
public record FleetUse(
    String site,
    int tunnels,
    JvmMemory before,
    JvmMemory idle,
    double idleCpu,
    List<String> losses) {
  public FleetUse {
    losses = List.copyOf(losses);
  }

  double heldKb() {
    return each(idle.heldBytes() - before.heldBytes());
  }

  double heapKb() {
    return each(idle.heapUsedBytes() - before.heapUsedBytes());
  }

  double outsideKb() {
    return each(idle.outsideBytes() - before.outsideBytes());
  }

  double residentKb() {
    return each(idle.residentBytes() - before.residentBytes());
  }

  double proportionalKb() {
    return each(idle.proportionalBytes() - before.proportionalBytes());
  }

  private double each(long bytes) {
    return bytes / 1_024.0 / tunnels;
  }
}
