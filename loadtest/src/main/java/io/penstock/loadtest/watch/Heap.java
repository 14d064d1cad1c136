package io.penstock.loadtest.watch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/// What the last collection left in the heap of another JVM of the same user: the used bytes of all
/// spaces but the one of new objects, as the JVM itself writes them to its performance data file
/// (`jstat` reads the same). Costs that JVM nothing.
final class Heap {
  private static final int MAGIC = 0xcafec0c0;
  private static final int HEADER_BYTES = 32;
  private static final int ENTRY_BYTES = 20;
  private static final byte LITTLE_ENDIAN = 1;
  private static final int MAX_BYTES = 1 << 20;
  private static final Pattern KEPT =
      Pattern.compile("sun\\.gc\\.generation\\.(1\\.space\\.[0-9]+|0\\.space\\.[1-9])\\.used");

  private Heap() {}

  /// Empty: no JVM, one of another user, or one that writes no such file.
  static OptionalLong keptBytes(long pid) {
    return keptBytes(
        Path.of("/tmp", "hsperfdata_" + System.getProperty("user.name"), Long.toString(pid)));
  }

  static OptionalLong keptBytes(Path file) {
    try {
      if (!Files.isReadable(file) || Files.size(file) > MAX_BYTES) {
        return OptionalLong.empty();
      }
      return sum(ByteBuffer.wrap(Files.readAllBytes(file)));
    } catch (IOException | IndexOutOfBoundsException ended) {
      return OptionalLong.empty();
    }
  }

  /// Magic, byte order, versions, accessible; used, overflow, timestamp, offset and number of the
  /// entries, each of which begins with its length, the offset of its name, and so on.
  private static OptionalLong sum(ByteBuffer data) {
    if (data.remaining() < HEADER_BYTES || data.getInt(0) != MAGIC) {
      return OptionalLong.empty();
    }
    data.order(data.get(4) == LITTLE_ENDIAN ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int at = data.getInt(24);
    int entries = data.getInt(28);
    long sum = 0;
    boolean found = false;
    for (int i = 0; i < entries; i++) {
      int length = data.getInt(at);
      if (length < ENTRY_BYTES) {
        return OptionalLong.empty();
      }
      if (KEPT.matcher(name(data, at)).matches()) {
        sum += data.getLong(at + data.getInt(at + 16));
        found = true;
      }
      at += length;
    }
    return found ? OptionalLong.of(sum) : OptionalLong.empty();
  }

  private static String name(ByteBuffer data, int entry) {
    int from = entry + data.getInt(entry + 4);
    int to = from;
    while (data.get(to) != 0) {
      to++;
    }
    byte[] name = new byte[to - from];
    data.get(from, name);
    return new String(name, StandardCharsets.US_ASCII);
  }
}
