package io.penstock.codec.seal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/// A hash of all versions an agent has applied, so that both sides see at once whether something is
/// missing. Nothing held has a digest too. SHA-256 over
/// ```
/// +-----------------------------+ and per system, in the byte order of their names:
/// | "penstock state v1" (17)    | +--------+----------+-------------+------------------+
/// +-----------------------------+ | len u8 | system … | version u64 | header hash (32) |
///                                 +--------+----------+-------------+------------------+
/// ```
public final class StateDigest {
  private static final byte[] LABEL = "penstock state v1".getBytes(StandardCharsets.US_ASCII);

  private StateDigest() {}

  public static Octets of(Map<String, HeldVersion> systems) {
    var digest = Octets.sha256Digest();
    digest.update(LABEL);
    // Names are ASCII, so the order of chars is that of bytes.
    new TreeMap<>(systems)
        .forEach(
            (system, held) -> {
              Names.require(system, "system");
              byte[] name = system.getBytes(StandardCharsets.US_ASCII);
              digest.update((byte) name.length);
              digest.update(name);
              digest.update(ByteBuffer.allocate(Long.BYTES).putLong(held.version()).array());
              digest.update(held.headerSha256().bytes());
            });
    return Octets.of(digest.digest());
  }
}
