package io.penstock.codec.seal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SortedMap;

/// Where a configuration sends its secrets: a hash over the settings that its plugin's schema marks
/// `destination`. Secrets are bound to it, so that nobody, the broker included, can carry a stored
/// password on and point it elsewhere.
public record Destination(Octets sha256) {
  private static final String LABEL = "penstock destination v1";

  public Destination {
    sha256.requireLength(32, "a destination's hash");
  }

  /// SHA-256 over
  /// ```
  /// +---------+---------+---------+--------+---------+---------+--
  /// | len u32 | label … | len u32 | name … | len u32 | value … | and so on, by name
  /// +---------+---------+---------+--------+---------+---------+--
  /// ```
  ///
  /// @param fields only those that are set
  public static Destination of(SortedMap<String, String> fields) {
    var digest = Octets.sha256Digest();
    digest.update(counted(LABEL));
    fields.forEach(
        (name, value) -> {
          digest.update(counted(name));
          digest.update(counted(value));
        });
    return new Destination(Octets.of(digest.digest()));
  }

  private static byte[] counted(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Integer.BYTES + bytes.length)
        .putInt(bytes.length)
        .put(bytes)
        .array();
  }
}
