package io.penstock.broker.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;

/// Address ranges in CIDR notation; none at all means everywhere.
public record Networks(List<Range> ranges) {
  private static final int MAX_RANGES = 64;

  public record Range(byte[] network, int bits) {
    public boolean holds(byte[] address) {
      if (address.length != network.length) {
        return false;
      }
      int whole = bits / 8;
      for (int i = 0; i < whole; i++) {
        if (address[i] != network[i]) {
          return false;
        }
      }
      int rest = bits % 8;
      return rest == 0 || ((address[whole] ^ network[whole]) & 0xff) >>> (8 - rest) == 0;
    }
  }

  public static Networks of(List<String> cidrs) {
    if (cidrs.size() > MAX_RANGES) {
      throw new IllegalArgumentException("at most " + MAX_RANGES + " address ranges");
    }
    return new Networks(cidrs.stream().map(Networks::range).toList());
  }

  /// An address of one of them, or any address when there are none.
  public boolean allow(InetAddress address) {
    return ranges.isEmpty() || hold(address);
  }

  /// The address, when there is one range of nothing else.
  public Optional<InetAddress> singleAddress() {
    if (ranges.size() != 1 || ranges.getFirst().bits() != ranges.getFirst().network().length * 8) {
      return Optional.empty();
    }
    return Optional.of(address(ranges.getFirst()));
  }

  /// One range as it is always written: without bits beyond its prefix.
  public String canonical() {
    Range range = ranges.getFirst();
    byte[] masked = range.network().clone();
    for (int i = 0; i < masked.length; i++) {
      int kept = Math.clamp(range.bits() - 8L * i, 0, 8);
      masked[i] = (byte) (masked[i] & (0xff00 >>> kept));
    }
    return address(new Range(masked, range.bits())).getHostAddress() + "/" + range.bits();
  }

  private static InetAddress address(Range range) {
    try {
      return InetAddress.getByAddress(range.network());
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /// Whether some address is of both.
  public boolean overlap(Networks others) {
    for (Range mine : ranges) {
      for (Range other : others.ranges) {
        // Of two that share an address, the wider one holds the other.
        boolean shared =
            mine.bits() <= other.bits() ? mine.holds(other.network()) : other.holds(mine.network());
        if (shared) {
          return true;
        }
      }
    }
    return false;
  }

  /// Whether an address is of one of them.
  public boolean hold(InetAddress address) {
    if (ranges.isEmpty()) {
      return false;
    }
    byte[] bytes = address.getAddress();
    for (Range range : ranges) {
      if (range.holds(bytes)) {
        return true;
      }
    }
    return false;
  }

  private static Range range(String cidr) {
    int slash = cidr.indexOf('/');
    byte[] network = address(slash < 0 ? cidr : cidr.substring(0, slash));
    int most = network.length * 8;
    int bits = slash < 0 ? most : prefix(cidr.substring(slash + 1));
    if (bits > most) {
      throw malformed();
    }
    return new Range(network, bits);
  }

  /// Only literals of four numbers or with colons: a name would ask a resolver.
  private static byte[] address(String literal) {
    boolean whole = literal.indexOf(':') >= 0 || literal.chars().filter(c -> c == '.').count() == 3;
    if (!whole || literal.indexOf('%') >= 0) {
      throw malformed();
    }
    try {
      return InetAddress.ofLiteral(literal).getAddress();
    } catch (IllegalArgumentException _) {
      throw malformed();
    }
  }

  private static int prefix(String digits) {
    if (!digits.matches("[0-9]{1,3}")) {
      throw malformed();
    }
    return Integer.parseInt(digits);
  }

  private static IllegalArgumentException malformed() {
    return new IllegalArgumentException("expected an address range such as 10.0.0.0/8");
  }
}
