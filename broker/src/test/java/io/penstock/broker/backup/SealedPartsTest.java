package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.penstock.broker.backup.BackupException.Reason;
import io.penstock.broker.store.Migrations.Schema;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SealedPartsTest {
  private static final byte[] PASSPHRASE = "a passphrase of some length".getBytes(UTF_8);
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  private static final Schema SCHEMA = new Schema(60, "abc");
  private static final String CANARY = "the-secret-that-nobody-may-read";

  private static byte[] content;
  private static byte[] file;

  /// Header, and each part with what stands in front of it.
  private static List<byte[]> pieces;

  @BeforeAll
  static void seal() throws IOException {
    content = new byte[2 * SealedParts.PART_BYTES + 12_345];
    new Random(7).nextBytes(content);
    System.arraycopy(CANARY.getBytes(UTF_8), 0, content, 100, CANARY.length());
    file = sealed(content);
    pieces = pieces(file);
  }

  private static byte[] sealed(byte[] what) throws IOException {
    var out = new ByteArrayOutputStream();
    try (OutputStream sealing =
        SealedParts.sealing(out, PASSPHRASE, SCHEMA, NOW, new SecureRandom())) {
      sealing.write(what);
    }
    return out.toByteArray();
  }

  private static List<byte[]> pieces(byte[] of) {
    var all = new ArrayList<byte[]>();
    int end = 16 + 4 + ByteBuffer.wrap(of).getInt(16);
    all.add(Arrays.copyOf(of, end));
    while (end < of.length) {
      int next = end + 8 + 1 + 4 + ByteBuffer.wrap(of).getInt(end + 9);
      all.add(Arrays.copyOfRange(of, end, next));
      end = next;
    }
    return all;
  }

  private static byte[] joined(List<byte[]> some) {
    var out = new ByteArrayOutputStream();
    some.forEach(out::writeBytes);
    return out.toByteArray();
  }

  private static byte[] flipped(byte[] of, int place) {
    byte[] other = of.clone();
    other[place] ^= 1;
    return other;
  }

  private static byte[] opened(byte[] of, byte[] passphrase) throws IOException {
    try (var in = SealedParts.opening(new ByteArrayInputStream(of), passphrase)) {
      return in.readAllBytes();
    }
  }

  private static void assertRefused(byte[] of, Reason reason) {
    assertThatThrownBy(() -> opened(of, PASSPHRASE))
        .asInstanceOf(type(BackupException.class))
        .extracting(BackupException::reason)
        .isEqualTo(reason);
  }

  @Test
  void whatWasSealedIsOpened() throws IOException {
    assertThat(pieces).hasSize(4);
    assertThat(opened(file, PASSPHRASE)).isEqualTo(content);
    BackupHeader header = SealedParts.header(new ByteArrayInputStream(file));
    assertThat(header.made()).isEqualTo(NOW);
    assertThat(header.schema()).isEqualTo(60);
    assertThat(new String(file, java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain(CANARY);
  }

  @Test
  void sizesAroundAPartAreKept() throws IOException {
    for (int size :
        new int[] {
          0, 1, SealedParts.PART_BYTES - 1, SealedParts.PART_BYTES, SealedParts.PART_BYTES + 1
        }) {
      byte[] some = Arrays.copyOf(content, size);
      assertThat(opened(sealed(some), PASSPHRASE)).isEqualTo(some);
    }
  }

  @Test
  void anotherPassphraseIsNamed() {
    assertThatThrownBy(() -> opened(file, "another passphrase".getBytes(UTF_8)))
        .asInstanceOf(type(BackupException.class))
        .extracting(BackupException::reason)
        .isEqualTo(Reason.PASSPHRASE);
  }

  @Test
  void noByteOfAPartCanBeAltered() {
    for (int piece = 1; piece < pieces.size(); piece++) {
      // Last mark, nonce, first and last byte of what is sealed. The index is a place of its own.
      for (int place : new int[] {8, 13, 25, pieces.get(piece).length - 1}) {
        var changed = new ArrayList<>(pieces);
        changed.set(piece, flipped(pieces.get(piece), place));
        assertRefused(joined(changed), Reason.ALTERED);
      }
      var renumbered = new ArrayList<>(pieces);
      renumbered.set(piece, flipped(pieces.get(piece), 7));
      assertRefused(joined(renumbered), Reason.ALTERED);
    }
  }

  @Test
  void theHeaderIsPartOfEverything() {
    // The time, which no key depends on.
    int time = new String(pieces.getFirst(), UTF_8).indexOf("2026-11-01");
    assertRefused(flipped(file, time + 3), Reason.ALTERED);
    int salt = new String(pieces.getFirst(), UTF_8).indexOf("salt") + 8;
    byte[] other = file.clone();
    other[salt] = (byte) (other[salt] == 'A' ? 'B' : 'A');
    assertRefused(other, Reason.PASSPHRASE);
  }

  @Test
  void whereverItIsCutItIsNoticed() {
    int sum = 0;
    for (byte[] piece : pieces) {
      for (int end :
          new int[] {sum + 1, sum + 10, sum + piece.length / 2, sum + piece.length - 1}) {
        if (end > 16) {
          assertRefused(Arrays.copyOf(file, end), Reason.CUT);
        }
      }
      sum += piece.length;
      if (sum < file.length) {
        assertRefused(Arrays.copyOf(file, sum), Reason.CUT);
      }
    }
    assertRefused(Arrays.copyOf(file, 10), Reason.NOT_A_BACKUP);
    assertRefused(new byte[0], Reason.NOT_A_BACKUP);
  }

  @Test
  void partsInAnotherOrderAreNamed() {
    assertRefused(
        joined(List.of(pieces.get(0), pieces.get(2), pieces.get(1), pieces.get(3))),
        Reason.REORDERED);
    assertRefused(
        joined(List.of(pieces.get(0), pieces.get(1), pieces.get(1), pieces.get(3))),
        Reason.REORDERED);
    // One in the middle is missing.
    assertRefused(joined(List.of(pieces.get(0), pieces.get(1), pieces.get(3))), Reason.REORDERED);
  }

  @Test
  void aPartOfAnotherBackupIsNoPartOfThisOne() throws IOException {
    List<byte[]> others = pieces(sealed(content));
    assertRefused(
        joined(List.of(pieces.get(0), pieces.get(1), others.get(2), pieces.get(3))),
        Reason.ALTERED);
  }

  @Test
  void nothingFollowsTheLastPart() {
    assertRefused(Arrays.copyOf(file, file.length + 1), Reason.TRAILING);
    var twice = new ArrayList<>(pieces);
    twice.add(pieces.getLast());
    assertRefused(joined(twice), Reason.TRAILING);
  }

  @Test
  void whatIsNoBackupAndWhatIsOfAnotherFormatIsSaid() {
    assertRefused("{\"penstock\":1}, and more than that".getBytes(UTF_8), Reason.NOT_A_BACKUP);
    String json = "{\"format\":2,\"anything\":{}}";
    byte[] newer =
        ByteBuffer.allocate(16 + 4 + json.length())
            .put("penstock-backup\n".getBytes(UTF_8))
            .putInt(json.length())
            .put(json.getBytes(UTF_8))
            .array();
    assertThatThrownBy(() -> opened(newer, PASSPHRASE))
        .isInstanceOf(BackupException.class)
        .hasMessageContaining("expected format 1, found 2");
  }

  @Test
  void aHeaderThatAsksForAllMemoryIsRefusedBeforeAnyIsTaken() {
    String header = new String(pieces.getFirst(), UTF_8);
    int start = header.indexOf("\"memory_kib\":65536") + "\"memory_kib\":".length();
    byte[] greedy = file.clone();
    System.arraycopy("99999".getBytes(UTF_8), 0, greedy, start, 5);
    assertRefused(greedy, Reason.PASSPHRASE);
    String json = header.substring(20).replace("\"memory_kib\":65536", "\"memory_kib\":2000000000");
    byte[] more =
        ByteBuffer.allocate(20 + json.length())
            .put(file, 0, 16)
            .putInt(json.length())
            .put(json.getBytes(UTF_8))
            .array();
    assertRefused(more, Reason.ALTERED);
  }
}
