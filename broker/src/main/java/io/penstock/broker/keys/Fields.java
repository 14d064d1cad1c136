package io.penstock.broker.keys;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.crypto.Mac;

/// Bytes of several fields that no other fields share: each with its length before it, absence told
/// from emptiness, maps in key order. Made for every row that is read, so without a stream's locks.
final class Fields {
  private byte[] out = new byte[512];
  private int length;

  Fields(String purpose) {
    text(purpose);
  }

  Fields bytes(byte[] value) {
    reserve(Integer.BYTES + value.length);
    ByteBuffer.wrap(out, length, out.length - length).putInt(value.length).put(value);
    length += Integer.BYTES + value.length;
    return this;
  }

  Fields text(String value) {
    return bytes(value.getBytes(StandardCharsets.UTF_8));
  }

  Fields optional(Optional<String> value) {
    reserve(1);
    out[length++] = (byte) (value.isPresent() ? 1 : 0);
    value.ifPresent(this::text);
    return this;
  }

  Fields number(long value) {
    return bytes(ByteBuffer.allocate(Long.BYTES).putLong(value).array());
  }

  Fields list(List<String> values) {
    number(values.size());
    values.forEach(this::text);
    return this;
  }

  Fields map(Map<String, String> values) {
    number(values.size());
    new TreeMap<>(values).forEach((key, value) -> text(key).text(value));
    return this;
  }

  private void reserve(int more) {
    if (out.length - length < more) {
      out = Arrays.copyOf(out, Math.max(2 * out.length, length + more));
    }
  }

  /// All of it, without a copy.
  void feed(Mac mac) {
    mac.update(out, 0, length);
  }

  byte[] toBytes() {
    return Arrays.copyOf(out, length);
  }
}
