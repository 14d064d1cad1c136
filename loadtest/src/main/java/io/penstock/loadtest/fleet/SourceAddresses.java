package io.penstock.loadtest.fleet;

import io.netty.channel.epoll.Epoll;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.stream.IntStream;

/// From where the agents of a fleet dial. A real fleet has as many addresses as sites, and a broker
/// has limits for each; a fleet on the broker's own machine takes several of the loopback network,
/// all of which is this host on Linux. Elsewhere there is one, the system's choice.
final class SourceAddresses {
  private static final int COUNT = 64;

  private final InetSocketAddress[] addresses;

  private SourceAddresses(InetSocketAddress[] addresses) {
    this.addresses = addresses;
  }

  static SourceAddresses towards(String host) {
    return new SourceAddresses(
        Epoll.isAvailable() && isLoopback(host)
            ? IntStream.rangeClosed(1, COUNT)
                .mapToObj(i -> new InetSocketAddress("127.0.64." + i, 0))
                .toArray(InetSocketAddress[]::new)
            : new InetSocketAddress[0]);
  }

  /// A name that cannot be found is reported by the dial.
  private static boolean isLoopback(String host) {
    try {
      InetAddress found = InetAddress.getByName(host);
      return found instanceof Inet4Address && found.isLoopbackAddress();
    } catch (UnknownHostException unknown) {
      return false;
    }
  }

  /// The same for the same agent.
  ///
  /// @param agent its number in the fleet
  Optional<InetSocketAddress> of(int agent) {
    return addresses.length == 0
        ? Optional.empty()
        : Optional.of(addresses[agent % addresses.length]);
  }
}
