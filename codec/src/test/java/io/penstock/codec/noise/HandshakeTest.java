package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HandshakeTest {
  private static final byte[] NOTHING = {};
  private static final byte[] PROLOGUE = {1, 2, 3};

  private final StaticKeyPair agent = StaticKeyPair.generate();
  private final StaticKeyPair node = StaticKeyPair.generate();

  @Test
  void suitesHaveTheNamesOfTheSpecification() {
    assertThat(Suite.XX.noiseName()).isEqualTo("Noise_XX_25519_AESGCM_SHA256");
    assertThat(Suite.XX_PSK3.noiseName()).isEqualTo("Noise_XXpsk3_25519_AESGCM_SHA256");
    assertThat(Suite.XXHFS.noiseName()).isEqualTo("Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256");
    assertThat(Suite.XXHFS_PSK3.noiseName())
        .isEqualTo("Noise_XXhfs+psk3_25519+MLKEM768_AESGCM_SHA256");
  }

  @ParameterizedTest
  @EnumSource
  void bothSidesAgreeOnHashKeysAndPeer(Suite suite) throws Exception {
    Parties.Finished finished = Parties.finish(suite);
    Handshake initiator = finished.initiator();
    Handshake responder = finished.responder();

    assertThat(suite.messageCount()).isEqualTo(3);
    assertThat(initiator.isComplete()).isTrue();
    assertThat(responder.isComplete()).isTrue();
    assertThat(initiator.hash()).isEqualTo(responder.hash());
    assertThat(initiator.remoteStatic()).isEqualTo(Parties.RESPONDER.publicKey());
    assertThat(responder.remoteStatic()).isEqualTo(Parties.INITIATOR.publicKey());

    byte[] hash = initiator.hash();
    Transport left = initiator.split();
    Transport right = responder.split();
    assertThat(Records.open(right.receive(), Records.seal(left.send(), PROLOGUE)))
        .isEqualTo(PROLOGUE);
    assertThat(Records.open(left.receive(), Records.seal(right.send(), PROLOGUE)))
        .isEqualTo(PROLOGUE);
    assertThat(initiator.hash()).isEqualTo(hash);
  }

  @ParameterizedTest
  @EnumSource
  void ephemeralKeysNeverRepeat(Suite suite) throws Exception {
    byte[] one = initiator(suite, PROLOGUE).writeMessage(NOTHING);
    byte[] two = initiator(suite, PROLOGUE).writeMessage(NOTHING);

    assertThat(Arrays.copyOf(one, 32)).isNotEqualTo(Arrays.copyOf(two, 32));
  }

  @Test
  void encapsulationKeysNeverRepeat() throws Exception {
    byte[] one = initiator(Suite.XXHFS, PROLOGUE).writeMessage(NOTHING);
    byte[] two = initiator(Suite.XXHFS, PROLOGUE).writeMessage(NOTHING);

    assertThat(Arrays.copyOfRange(one, 32, 32 + 1184))
        .isNotEqualTo(Arrays.copyOfRange(two, 32, 32 + 1184));
  }

  @ParameterizedTest
  @EnumSource
  void aDifferentPrologueFails(Suite suite) throws Exception {
    Handshake initiator = initiator(suite, PROLOGUE);
    Handshake responder = responder(suite, new byte[] {1, 2, 4});

    byte[] first = initiator.writeMessage(NOTHING);
    assertThatThrownBy(
            () -> {
              responder.readMessage(first);
              initiator.readMessage(responder.writeMessage(NOTHING));
            })
        .isInstanceOf(HandshakeException.class);
  }

  @ParameterizedTest
  @EnumSource(names = {"XX_PSK3", "XXHFS_PSK3"})
  void aWrongPskFailsTheThirdMessageAndNotBefore(Suite suite) throws Exception {
    Handshake initiator = Handshake.initiator(suite, PROLOGUE, agent);
    Handshake responder = Handshake.responder(suite, PROLOGUE, node);
    initiator.psk(new PresharedKey(new byte[32]));

    responder.readMessage(initiator.writeMessage(NOTHING));
    responder.psk(new PresharedKey(Parties.PSK.bytes()));
    initiator.readMessage(responder.writeMessage(NOTHING));
    byte[] third = initiator.writeMessage(NOTHING);

    assertThatThrownBy(() -> responder.readMessage(third)).isInstanceOf(HandshakeException.class);
    assertDead(responder);
  }

  @Test
  void aMissingPskFailsTheThirdMessage() throws Exception {
    Handshake initiator = Handshake.initiator(Suite.XXHFS_PSK3, PROLOGUE, agent);
    Handshake responder = Handshake.responder(Suite.XXHFS_PSK3, PROLOGUE, node);

    responder.readMessage(initiator.writeMessage(NOTHING));
    initiator.readMessage(responder.writeMessage(NOTHING));

    assertThatThrownBy(() -> initiator.writeMessage(NOTHING))
        .isInstanceOf(HandshakeException.class)
        .hasMessage("the preshared key is not known");
    assertDead(initiator);
  }

  @Test
  void takesAPskOnlyOnceAndOnlyWhereTheSuiteHasOne() {
    Handshake without = Handshake.initiator(Suite.XXHFS, PROLOGUE, agent);
    Handshake with = Handshake.initiator(Suite.XXHFS_PSK3, PROLOGUE, agent);
    PresharedKey psk = new PresharedKey(Parties.PSK.bytes());
    with.psk(psk);

    assertThatThrownBy(() -> without.psk(psk)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> with.psk(psk)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> new PresharedKey(new byte[31]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesCallsOutOfTurn() {
    Handshake initiator = initiator(Suite.XX, PROLOGUE);
    Handshake responder = responder(Suite.XX, PROLOGUE);

    assertThatThrownBy(() -> initiator.readMessage(new byte[100]))
        .isInstanceOf(HandshakeException.class);
    assertThatThrownBy(() -> responder.writeMessage(NOTHING))
        .isInstanceOf(HandshakeException.class);
    assertDead(initiator);
    assertDead(responder);
  }

  @Test
  void refusesAFourthMessage() throws Exception {
    Parties.Finished finished = Parties.finish(Suite.XX);

    assertThatThrownBy(() -> finished.responder().writeMessage(NOTHING))
        .isInstanceOf(HandshakeException.class);
    assertThatThrownBy(() -> finished.initiator().readMessage(new byte[100]))
        .isInstanceOf(HandshakeException.class);
  }

  @Test
  void isSplitOnceAndOnlyWhenComplete() throws Exception {
    Handshake early = initiator(Suite.XX, PROLOGUE);
    Parties.Finished finished = Parties.finish(Suite.XX);
    finished.initiator().split();

    assertThatThrownBy(early::split).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(finished.initiator()::split).isInstanceOf(IllegalStateException.class);
    assertThat(early.isComplete()).isFalse();
  }

  @Test
  void knowsThePeerOnlyAfterItsMessage() throws Exception {
    Handshake initiator = initiator(Suite.XXHFS, PROLOGUE);
    Handshake responder = responder(Suite.XXHFS, PROLOGUE);

    responder.readMessage(initiator.writeMessage(NOTHING));
    assertThatThrownBy(responder::remoteStatic).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(initiator::remoteStatic).isInstanceOf(IllegalStateException.class);

    initiator.readMessage(responder.writeMessage(NOTHING));
    assertThat(initiator.remoteStatic()).isEqualTo(node.publicKey());
  }

  @Test
  void theHashIsACopyAndMovesWithEveryMessage() throws Exception {
    Handshake initiator = initiator(Suite.XX, PROLOGUE);
    byte[] before = initiator.hash();
    before[0]++;
    assertThat(initiator.hash()).isNotEqualTo(before);

    byte[] start = initiator.hash();
    initiator.writeMessage(NOTHING);

    assertThat(initiator.hash()).isNotEqualTo(start);
  }

  /// Modulo p, which the last three are one less than, equal to and one more than: 0, 1 and the two
  /// points of order 8.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
      })
  void aPointOfSmallOrderFailsQuietly(String point) throws Exception {
    byte[] first = initiator(Suite.XX, PROLOGUE).writeMessage(NOTHING);
    System.arraycopy(new Hex(point).bytes(), 0, first, 0, 32);
    Handshake responder = responder(Suite.XX, PROLOGUE);
    responder.readMessage(first);

    assertThatThrownBy(() -> responder.writeMessage(NOTHING))
        .isInstanceOf(HandshakeException.class)
        .hasNoCause()
        .satisfies(failure -> assertThat(failure.getStackTrace()).isEmpty());
    assertDead(responder);
  }

  @Test
  void anEncapsulationKeyOverTheModulusFails() throws Exception {
    byte[] first = initiator(Suite.XXHFS, PROLOGUE).writeMessage(NOTHING);
    Arrays.fill(first, 32, 32 + 384, (byte) 0xff);
    Handshake responder = responder(Suite.XXHFS, PROLOGUE);

    assertThatThrownBy(() -> responder.readMessage(first)).isInstanceOf(HandshakeException.class);
    assertDead(responder);
  }

  @Test
  void refusesMessagesOverTheNoiseLimit() {
    byte[] tooLong = new byte[Handshake.MAX_MESSAGE_BYTES + 1];
    byte[] payload = new byte[Handshake.MAX_MESSAGE_BYTES - 31];

    assertThatThrownBy(() -> responder(Suite.XX, PROLOGUE).readMessage(tooLong))
        .isInstanceOf(HandshakeException.class);
    assertThatThrownBy(() -> initiator(Suite.XX, PROLOGUE).writeMessage(payload))
        .isInstanceOf(HandshakeException.class);
  }

  @Test
  void carriesAPayloadUpToTheNoiseLimit() throws Exception {
    byte[] payload = new byte[Handshake.MAX_MESSAGE_BYTES - 32];

    byte[] first = initiator(Suite.XX, PROLOGUE).writeMessage(payload);

    assertThat(first).hasSize(Handshake.MAX_MESSAGE_BYTES);
    assertThat(responder(Suite.XX, PROLOGUE).readMessage(first)).isEqualTo(payload);
  }

  @Test
  void secretsPrintNothing() {
    StaticKeyPair pair = StaticKeyPair.fromPrivate(Parties.PSK.bytes());

    assertThat(pair.toString()).isEqualTo("StaticKeyPair " + pair.publicKey());
    assertThat(pair.toString()).doesNotContain(Parties.PSK.text());
    assertThat(new PresharedKey(Parties.PSK.bytes())).hasToString("PresharedKey");
  }

  @Test
  void keysDoNotShareTheirArrays() {
    byte[] raw = Parties.PSK.bytes();
    StaticKeyPair pair = StaticKeyPair.fromPrivate(raw);
    PublicKey key = pair.publicKey();

    Arrays.fill(raw, (byte) 0);
    Arrays.fill(pair.privateKeyBytes(), (byte) 0);
    Arrays.fill(key.bytes(), (byte) 0);

    assertThat(pair.privateKeyBytes()).isEqualTo(Parties.PSK.bytes());
    assertThat(pair.publicKey()).isEqualTo(key).hasSameHashCodeAs(key);
  }

  private Handshake initiator(Suite suite, byte[] prologue) {
    return withPsk(suite, Handshake.initiator(suite, prologue, agent));
  }

  private Handshake responder(Suite suite, byte[] prologue) {
    return withPsk(suite, Handshake.responder(suite, prologue, node));
  }

  private static Handshake withPsk(Suite suite, Handshake handshake) {
    if (suite.usesPsk()) {
      handshake.psk(new PresharedKey(Parties.PSK.bytes()));
    }
    return handshake;
  }

  private static void assertDead(Handshake handshake) {
    assertThat(handshake.isComplete()).isFalse();
    assertThatThrownBy(() -> handshake.writeMessage(NOTHING))
        .isInstanceOf(HandshakeException.class);
    assertThatThrownBy(() -> handshake.readMessage(NOTHING)).isInstanceOf(HandshakeException.class);
    assertThatThrownBy(handshake::split).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(handshake::hash).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(handshake::remoteStatic).isInstanceOf(IllegalStateException.class);
  }
}
