package io.penstock.codec.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.codec.seal.Octets;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/// Bytes of several fields that no other fields share: each text with its length before it, absence
/// told from emptiness.
final class RecordBytes {
  private byte[] out = new byte[512];
  private int length;

  RecordBytes(String purpose) {
    text(purpose);
  }

  RecordBytes mark(char kind) {
    reserve(1);
    out[length++] = (byte) kind;
    return this;
  }

  RecordBytes number(long value) {
    reserve(Long.BYTES);
    ByteBuffer.wrap(out, length, Long.BYTES).putLong(value);
    length += Long.BYTES;
    return this;
  }

  RecordBytes bytes(byte[] value) {
    reserve(Integer.BYTES + value.length);
    ByteBuffer.wrap(out, length, Integer.BYTES + value.length).putInt(value.length).put(value);
    length += Integer.BYTES + value.length;
    return this;
  }

  RecordBytes text(String value) {
    return bytes(value.getBytes(UTF_8));
  }

  RecordBytes optional(Optional<String> value) {
    mark(value.isPresent() ? '+' : '-');
    value.ifPresent(this::text);
    return this;
  }

  private void reserve(int more) {
    if (out.length - length < more) {
      out = Arrays.copyOf(out, Math.max(2 * out.length, length + more));
    }
  }

  Octets sha256() {
    return Octets.sha256(Arrays.copyOf(out, length));
  }
}
