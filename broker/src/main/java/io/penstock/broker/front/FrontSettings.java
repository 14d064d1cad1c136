package io.penstock.broker.front;

import java.time.Duration;

/// Limits of the public port. A connection beyond a limit is closed and counted.
///
/// @param maxConnections in all, tunnels included
/// @param maxConnectionsPerAddress of one IPv4 address or IPv6 /64
/// @param tlsHandshake for the TLS handshake
/// @param head from the first byte of a request head to its end; also for the first one of a
///     connection
/// @param keepAlive how long a connection may rest between two requests
/// @param apiBodyBytes largest body of an API request; beyond, 413
/// @param apiStall how long an API request's body, or the reader of an answer, may stand still
public record FrontSettings(
    int maxConnections,
    int maxConnectionsPerAddress,
    Duration tlsHandshake,
    Duration head,
    Duration keepAlive,
    int apiBodyBytes,
    Duration apiStall) {

  public static final FrontSettings DEFAULTS =
      new FrontSettings(
          18_000,
          2_000,
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          2 * 1024 * 1024,
          Duration.ofSeconds(30));

  public FrontSettings withConnections(int inAll, int perAddress) {
    return new FrontSettings(
        inAll, perAddress, tlsHandshake, head, keepAlive, apiBodyBytes, apiStall);
  }

  public FrontSettings withTimeouts(Duration forHead, Duration betweenRequests) {
    return new FrontSettings(
        maxConnections,
        maxConnectionsPerAddress,
        tlsHandshake,
        forHead,
        betweenRequests,
        apiBodyBytes,
        apiStall);
  }
}
