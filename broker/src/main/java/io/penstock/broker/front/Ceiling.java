package io.penstock.broker.front;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/// How many of something there may be at once, in all and from one address. An IPv6 address counts
/// as its /64, because a stranger usually owns that many. Thread-safe.
public final class Ceiling {
  /// What asking led to.
  public enum Verdict {
    TAKEN,
    FULL,
    FULL_FOR_ADDRESS
  }

  private final int inAll;
  private final int perAddress;
  private final AtomicInteger taken = new AtomicInteger();
  private final ConcurrentHashMap<Long, Integer> byAddress = new ConcurrentHashMap<>();

  public Ceiling(int inAll, int perAddress) {
    this.inAll = inAll;
    this.perAddress = perAddress;
  }

  /// TAKEN must be given back by exactly one [#release].
  public Verdict take(InetAddress address) {
    if (taken.incrementAndGet() > inAll) {
      taken.decrementAndGet();
      return Verdict.FULL;
    }
    int ofAddress = byAddress.merge(key(address), 1, Integer::sum);
    if (ofAddress > perAddress) {
      release(address);
      return Verdict.FULL_FOR_ADDRESS;
    }
    return Verdict.TAKEN;
  }

  public void release(InetAddress address) {
    taken.decrementAndGet();
    byAddress.computeIfPresent(key(address), (_, count) -> count == 1 ? null : count - 1);
  }

  public int taken() {
    return taken.get();
  }

  int addresses() {
    return byAddress.size();
  }

  private static Long key(InetAddress address) {
    byte[] bytes = address.getAddress();
    return address instanceof Inet6Address
        ? ByteBuffer.wrap(bytes).getLong()
        : Integer.toUnsignedLong(ByteBuffer.wrap(bytes).getInt());
  }
}
