package io.penstock.broker.tunnel;

import io.penstock.codec.Protocol;
import java.time.Duration;

/// Limits of the tunnel endpoint.
///
/// @param handshakes under way at once, in all; beyond, 503 before the upgrade
/// @param handshakesPerAddress the same for one address
/// @param tunnels in all, those waiting for approval included
/// @param maxStreams of one tunnel
/// @param handshakeTimeout from the upgrade to message 3
/// @param enrollmentFloor a refused enrollment is answered no sooner than this after message 3
public record TunnelSettings(
    int handshakes,
    int handshakesPerAddress,
    int tunnels,
    int maxStreams,
    Duration handshakeTimeout,
    Duration enrollmentFloor) {

  public static final TunnelSettings DEFAULTS =
      new TunnelSettings(
          256,
          16,
          16_000,
          Protocol.DEFAULT_MAX_STREAMS,
          Duration.ofMillis(Protocol.HANDSHAKE_TIMEOUT_MS),
          Duration.ofMillis(250));

  public TunnelSettings withHandshakes(int inAll, int perAddress) {
    return new TunnelSettings(
        inAll, perAddress, tunnels, maxStreams, handshakeTimeout, enrollmentFloor);
  }
}
