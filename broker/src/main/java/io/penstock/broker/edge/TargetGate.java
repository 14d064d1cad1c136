package io.penstock.broker.edge;

/// Whether a request target has one reading only: no dot segments, hidden delimiters or empty
/// segments (design, "HTTP through the tunnel").
@FunctionalInterface
public interface TargetGate {

  /// @param originForm path with optional query, as it stands in the request line
  boolean isClean(String originForm);
}
