package io.penstock.codec.noise;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CipherStateTest {
  private static final byte[] KEY = Hex.counting(1, 32).bytes();
  private static final byte[] PLAINTEXT = "twenty bytes of data".getBytes(UTF_8);

  private final CipherState sender = new CipherState(KEY);
  private final CipherState receiver = new CipherState(KEY);

  @Test
  void opensWhatTheOtherSideSealed() throws Exception {
    for (int i = 0; i < 5; i++) {
      assertThat(Records.open(receiver, Records.seal(sender, PLAINTEXT))).isEqualTo(PLAINTEXT);
    }

    assertThat(sender.nonce()).isEqualTo(5);
    assertThat(receiver.nonce()).isEqualTo(5);
  }

  @Test
  void sealsAndOpensInTheMiddleOfArrays() throws Exception {
    byte[] wire = new byte[100];
    byte[] out = new byte[100];

    assertThat(sender.seal(PLAINTEXT, 3, 10, wire, 50)).isEqualTo(26);
    assertThat(receiver.open(wire, 50, 26, out, 7)).isEqualTo(10);

    assertThat(Arrays.copyOfRange(out, 7, 17)).isEqualTo(Arrays.copyOfRange(PLAINTEXT, 3, 13));
    assertThat(Arrays.copyOfRange(wire, 0, 50)).containsOnly(0);
    assertThat(Arrays.copyOfRange(wire, 76, 100)).containsOnly(0);
    assertThat(Arrays.copyOfRange(out, 17, 100)).containsOnly(0);
  }

  @Test
  void sealsInPlace() throws Exception {
    byte[] buffer = Arrays.copyOf(PLAINTEXT, PLAINTEXT.length + CipherState.TAG_BYTES);

    sender.seal(buffer, 0, PLAINTEXT.length, buffer, 0);
    receiver.open(buffer, 0, buffer.length, buffer, 0);

    assertThat(buffer).startsWith(PLAINTEXT);
  }

  @Test
  void everyFlippedBitOfARecordEndsTheKeyAndDeliversNothing() {
    byte[] record = Records.seal(sender, PLAINTEXT);

    for (int bit = 0; bit < record.length * Byte.SIZE; bit++) {
      byte[] changed = record.clone();
      changed[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
      assertEndsTheKey(new CipherState(KEY), changed);
    }
  }

  @Test
  void everyTruncationOfARecordEndsTheKey() {
    byte[] record = Records.seal(sender, PLAINTEXT);

    for (int length = 0; length < record.length; length++) {
      assertEndsTheKey(new CipherState(KEY), Arrays.copyOf(record, length));
    }
    assertEndsTheKey(new CipherState(KEY), Arrays.copyOf(record, record.length + 1));
  }

  @Test
  void aDuplicatedRecordEndsTheKey() throws Exception {
    byte[] record = Records.seal(sender, PLAINTEXT);

    Records.open(receiver, record);

    assertEndsTheKey(receiver, record);
  }

  @Test
  void aDroppedRecordEndsTheKey() throws Exception {
    Records.open(receiver, Records.seal(sender, PLAINTEXT));
    Records.seal(sender, PLAINTEXT);

    assertEndsTheKey(receiver, Records.seal(sender, PLAINTEXT));
  }

  @Test
  void reorderedRecordsEndTheKey() {
    byte[] first = Records.seal(sender, PLAINTEXT);
    byte[] second = Records.seal(sender, PLAINTEXT);

    assertEndsTheKey(receiver, second);

    assertThatThrownBy(() -> Records.open(receiver, first)).isInstanceOf(RecordException.class);
  }

  @Test
  void aRecordSentBackToItsSenderEndsTheKey() throws Exception {
    Parties.Finished finished = Parties.finish(Suite.XX);
    Transport initiator = finished.initiator().split();

    assertEndsTheKey(initiator.receive(), Records.seal(initiator.send(), PLAINTEXT));
  }

  private static void assertEndsTheKey(CipherState receiver, byte[] record) {
    byte[] out = new byte[100];

    assertThatThrownBy(() -> receiver.open(record, 0, record.length, out, 0))
        .isInstanceOf(RecordException.class)
        .hasNoCause();

    assertThat(out).containsOnly(0);
    byte[] next = Records.seal(new CipherState(KEY, receiver.nonce()), PLAINTEXT);
    assertThatThrownBy(() -> Records.open(receiver, next)).isInstanceOf(RecordException.class);
    assertThatThrownBy(() -> Records.seal(receiver, PLAINTEXT))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(receiver::rekey).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void rekeyChangesTheKeyAndKeepsTheCounter() throws Exception {
    Records.open(receiver, Records.seal(sender, PLAINTEXT));
    CipherState left = new CipherState(KEY, 1);

    sender.rekey();
    receiver.rekey();
    byte[] record = Records.seal(sender, PLAINTEXT);

    assertThat(Records.open(receiver, record)).isEqualTo(PLAINTEXT);
    assertThat(sender.nonce()).isEqualTo(2);
    assertThatThrownBy(() -> Records.open(left, record)).isInstanceOf(RecordException.class);
  }

  @Test
  void rekeyTwiceIsTwoKeys() throws Exception {
    sender.rekey();
    sender.rekey();
    receiver.rekey();
    receiver.rekey();

    assertThat(Records.open(receiver, Records.seal(sender, PLAINTEXT))).isEqualTo(PLAINTEXT);
  }

  @Test
  void theLastNonceIsNeverARecords() throws Exception {
    CipherState spent = new CipherState(KEY, -2L);
    CipherState peer = new CipherState(KEY, -2L);

    byte[] last = Records.seal(spent, PLAINTEXT);
    assertThat(Records.open(peer, last)).isEqualTo(PLAINTEXT);

    assertThatThrownBy(() -> Records.seal(spent, PLAINTEXT))
        .isInstanceOf(IllegalStateException.class);
    assertThat(Long.toUnsignedString(spent.nonce())).isEqualTo("18446744073709551615");
    assertThatThrownBy(() -> Records.open(peer, sealedUnderTheLastNonce()))
        .isInstanceOf(RecordException.class);
  }

  private static byte[] sealedUnderTheLastNonce() {
    byte[] iv = new Hex("00000000ffffffffffffffff").bytes();
    byte[] record = new byte[PLAINTEXT.length + CipherState.TAG_BYTES];
    new AesGcm(KEY).seal(iv, new byte[0], PLAINTEXT, 0, PLAINTEXT.length, record, 0);
    return record;
  }

  @Test
  void refusesRecordsOverTheNoiseLimit() throws Exception {
    byte[] longest = new byte[CipherState.MAX_PLAINTEXT_BYTES];
    byte[] tooLong = new byte[CipherState.MAX_PLAINTEXT_BYTES + 1];

    assertThatThrownBy(() -> Records.seal(sender, tooLong))
        .isInstanceOf(IllegalArgumentException.class);
    byte[] record = Records.seal(sender, longest);
    assertThat(record).hasSize(CipherState.MAX_RECORD_BYTES);
    assertThat(Records.open(receiver, record)).isEqualTo(longest);
    assertThatThrownBy(() -> Records.open(receiver, new byte[CipherState.MAX_RECORD_BYTES + 1]))
        .isInstanceOf(RecordException.class);
  }

  @Test
  void aCallWithoutRoomIsRefusedAndCostsNothing() throws Exception {
    byte[] small = new byte[PLAINTEXT.length];

    assertThatThrownBy(() -> sender.seal(PLAINTEXT, 0, PLAINTEXT.length, small, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    byte[] record = Records.seal(sender, PLAINTEXT);
    assertThatThrownBy(() -> receiver.open(record, 0, record.length, small, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);

    assertThat(Records.open(receiver, record)).isEqualTo(PLAINTEXT);
  }
}
