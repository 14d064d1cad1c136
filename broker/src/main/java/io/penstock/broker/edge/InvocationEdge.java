package io.penstock.broker.edge;

import io.penstock.broker.routing.Routing;
import java.util.function.LongSupplier;

/// What all connections of callers share. Everything in it is thread-safe.
///
/// @param nanoTime monotonic, as [System#nanoTime()]
public record InvocationEdge(
    Callers callers,
    Routing routing,
    TargetGate targets,
    RateLimit rateLimit,
    InvocationObserver observer,
    EdgeSettings settings,
    LongSupplier nanoTime) {

  /// The handler of one connection, for the end of its pipeline; never shared.
  public InvocationHandler newHandler() {
    return new InvocationHandler(this);
  }
}
