package io.penstock.codec.noise;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Our handshake with fresh keys against the second implementation, in both roles.
class InteropTest {
  private static final byte[] PROLOGUE = "penstock".getBytes(UTF_8);
  private static final byte[] FIRST = "who calls".getBytes(UTF_8);
  private static final byte[] SECOND = {};
  private static final byte[] THIRD = "nobody".getBytes(UTF_8);

  private final byte[] psk = random(32);
  private final StaticKeyPair ourKeys = StaticKeyPair.generate();
  private final byte[] theirKey = random(32);

  @ParameterizedTest
  @EnumSource
  void shakesHandsAsInitiator(Suite suite) throws Exception {
    Handshake ours = withPsk(suite, Handshake.initiator(suite, PROLOGUE, ourKeys));
    ReferenceNoise theirs = reference(suite, false);

    assertThat(theirs.readFirst(ours.writeMessage(FIRST))).isEqualTo(FIRST);
    assertThat(ours.readMessage(theirs.writeSecond(SECOND))).isEqualTo(SECOND);
    assertThat(ours.hash()).isEqualTo(theirs.hash());
    assertThat(theirs.readThird(ours.writeMessage(THIRD))).isEqualTo(THIRD);

    assertSameSession(ours, theirs);
  }

  @ParameterizedTest
  @EnumSource
  void shakesHandsAsResponder(Suite suite) throws Exception {
    Handshake ours = Handshake.responder(suite, PROLOGUE, ourKeys);
    ReferenceNoise theirs = reference(suite, true);

    assertThat(ours.readMessage(theirs.writeFirst(FIRST))).isEqualTo(FIRST);
    withPsk(suite, ours);
    assertThat(theirs.readSecond(ours.writeMessage(SECOND))).isEqualTo(SECOND);
    assertThat(ours.hash()).isEqualTo(theirs.hash());
    assertThat(ours.readMessage(theirs.writeThird(THIRD))).isEqualTo(THIRD);

    assertSameSession(ours, theirs);
  }

  private void assertSameSession(Handshake ours, ReferenceNoise theirs) throws RecordException {
    assertThat(ours.isComplete()).isTrue();
    assertThat(ours.hash()).isEqualTo(theirs.hash());
    assertThat(ours.remoteStatic().bytes()).isEqualTo(ReferenceNoise.publicKey(theirKey));
    assertThat(theirs.remoteStatic()).isEqualTo(ourKeys.publicKey().bytes());
    Transport transport = ours.split();
    assertRecordsPass(transport, theirs);
    transport.send().rekey();
    transport.receive().rekey();
    theirs.rekey();
    assertRecordsPass(transport, theirs);
  }

  private static void assertRecordsPass(Transport ours, ReferenceNoise theirs)
      throws RecordException {
    for (int length : new int[] {0, 1, 16, 1000, CipherState.MAX_PLAINTEXT_BYTES}) {
      byte[] plaintext = random(length);
      assertThat(theirs.openRecord(Records.seal(ours.send(), plaintext))).isEqualTo(plaintext);
      assertThat(Records.open(ours.receive(), theirs.sealRecord(plaintext))).isEqualTo(plaintext);
    }
  }

  private Handshake withPsk(Suite suite, Handshake handshake) {
    if (suite.usesPsk()) {
      handshake.psk(new PresharedKey(psk));
    }
    return handshake;
  }

  private ReferenceNoise reference(Suite suite, boolean initiator) {
    boolean hybrid = suite == Suite.XXHFS || suite == Suite.XXHFS_PSK3;
    return new ReferenceNoise(
        initiator,
        hybrid,
        suite.usesPsk() ? psk : new byte[0],
        PROLOGUE,
        theirKey,
        random(32),
        random(initiator ? 64 : 32));
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }
}
