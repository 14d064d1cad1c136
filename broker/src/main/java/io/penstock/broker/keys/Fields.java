package io.penstock.broker.keys;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Bytes of several fields that no other fields share: each with its length before it, absence told
/// from emptiness, maps in key order.
final class Fields {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(512);

  Fields(String purpose) {
    text(purpose);
  }

  Fields bytes(byte[] value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.write(value.length >>> shift);
    }
    out.writeBytes(value);
    return this;
  }

  Fields text(String value) {
    return bytes(value.getBytes(StandardCharsets.UTF_8));
  }

  Fields optional(Optional<String> value) {
    out.write(value.isPresent() ? 1 : 0);
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

  byte[] toBytes() {
    return out.toByteArray();
  }
}
