package io.penstock.broker.access;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;

/// Where requests come from, as limits count it: one IPv4 address, or the /64 that a household or a
/// machine has of IPv6.
final class Sources {
  private static final String UNKNOWN = "unknown";
  private static final int PREFIX_BYTES = 8;

  private Sources() {}

  static String of(Optional<String> address) {
    return address.map(Sources::of).orElse(UNKNOWN);
  }

  private static String of(String literal) {
    InetAddress address;
    try {
      address = InetAddress.ofLiteral(literal);
    } catch (IllegalArgumentException _) {
      return UNKNOWN;
    }
    if (!(address instanceof Inet6Address)) {
      return address.getHostAddress();
    }
    byte[] bytes = address.getAddress();
    Arrays.fill(bytes, PREFIX_BYTES, bytes.length, (byte) 0);
    try {
      return InetAddress.getByAddress(bytes).getHostAddress() + "/64";
    } catch (java.net.UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
