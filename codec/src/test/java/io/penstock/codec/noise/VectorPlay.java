package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/// Plays a vector with both of our sides and compares every byte.
final class VectorPlay {
  private VectorPlay() {}

  static void play(NoiseVector vector) throws HandshakeException, RecordException {
    Handshake initiator = side(vector, true);
    Handshake responder = side(vector, false);

    List<NoiseVector.Message> messages = vector.messages();
    for (NoiseVector.Message message : messages.subList(0, 3)) {
      Handshake writer = message.byInitiator() ? initiator : responder;
      Handshake reader = message.byInitiator() ? responder : initiator;
      playHandshake(message, writer, reader);
    }

    assertThat(initiator.isComplete()).isTrue();
    assertThat(initiator.hash()).isEqualTo(responder.hash());
    vector.handshakeHash().ifPresent(hash -> assertThat(Hex.of(initiator.hash())).isEqualTo(hash));
    playTransport(messages.subList(3, messages.size()), initiator.split(), responder.split());
  }

  private static void playHandshake(NoiseVector.Message message, Handshake writer, Handshake reader)
      throws HandshakeException {
    byte[] written = writer.writeMessage(message.payload().bytes());
    assertThat(Hex.of(written)).isEqualTo(message.ciphertext());
    assertThat(Hex.of(reader.readMessage(written))).isEqualTo(message.payload());
  }

  private static void playTransport(
      List<NoiseVector.Message> messages, Transport initiator, Transport responder)
      throws RecordException {
    assertThat(messages).isNotEmpty();
    for (NoiseVector.Message message : messages) {
      CipherState sender = message.byInitiator() ? initiator.send() : responder.send();
      CipherState receiver = message.byInitiator() ? responder.receive() : initiator.receive();
      byte[] record = Records.seal(sender, message.payload().bytes());
      assertThat(Hex.of(record)).isEqualTo(message.ciphertext());
      assertThat(Hex.of(Records.open(receiver, record))).isEqualTo(message.payload());
    }
  }

  private static Handshake side(NoiseVector vector, boolean initiator) {
    NoiseVector.Side side = initiator ? vector.initiator() : vector.responder();
    var pattern = HandshakePattern.xx(vector.modifiers());
    assertThat(pattern.protocolName()).isEqualTo(vector.protocolName());
    Handshake handshake =
        new Handshake(
            pattern,
            initiator,
            vector.prologue().bytes(),
            StaticKeyPair.fromPrivate(side.staticKey().bytes()),
            new FixedEphemerals(side.ephemeral(), side.kem()));
    vector.psks().forEach(psk -> handshake.psk(new PresharedKey(psk.bytes())));
    return handshake;
  }
}
