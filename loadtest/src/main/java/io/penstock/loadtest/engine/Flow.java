package io.penstock.loadtest.engine;

import java.time.Duration;
import java.util.List;

/// Requests that are alike in what is expected of them. Each flow runs on one event loop, beside
/// the others of its scenario, and is recorded by itself.
///
/// @param connections exactly as many in closed loop, at most in open loop
/// @param timeout of one request, from its intended start
/// @param readBytesPerSecond how slowly each connection reads; 0 = as fast as it can
public record Flow(
    String name,
    Pace pace,
    int connections,
    List<Request> mix,
    Duration timeout,
    long readBytesPerSecond) {
  private static final int MAX_CONNECTIONS = 20_000;

  public Flow {
    mix = List.copyOf(mix);
    if (!name.matches("[a-z0-9-]{1,32}")) {
      throw new IllegalArgumentException(
          "name: expected 1 to 32 lower-case letters, digits and hyphens, found '" + name + "'");
    }
    if (connections < 1 || connections > MAX_CONNECTIONS) {
      throw new IllegalArgumentException(
          "connections: expected 1 to " + MAX_CONNECTIONS + ", found " + connections);
    }
    if (mix.isEmpty()) {
      throw new IllegalArgumentException("requests: expected at least one, found none");
    }
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("timeout_s: expected more than 0, found " + timeout);
    }
    if (readBytesPerSecond < 0) {
      throw new IllegalArgumentException(
          "read_bytes_per_second: expected 0 or more, found " + readBytesPerSecond);
    }
  }
}
