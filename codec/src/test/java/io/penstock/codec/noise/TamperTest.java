package io.penstock.codec.noise;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Somebody in the middle changes one handshake message. Both sides then never agree: at the latest
/// the initiator refuses message 2, or the responder message 3.
class TamperTest {
  private static final byte[] PAYLOAD = "payload".getBytes(UTF_8);

  @ParameterizedTest
  @EnumSource
  void noFlippedBitSurvives(Suite suite) throws Exception {
    byte[][] genuine = genuine(suite);

    for (int number = 0; number < genuine.length; number++) {
      for (int bit = 0; bit < genuine[number].length * Byte.SIZE; bit++) {
        byte[] changed = genuine[number].clone();
        changed[bit / Byte.SIZE] ^= (byte) (1 << (bit % Byte.SIZE));
        assertRefused(suite, genuine, number, changed);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void noTruncationSurvives(Suite suite) throws Exception {
    byte[][] genuine = genuine(suite);

    for (int number = 0; number < genuine.length; number++) {
      for (int length = 0; length < genuine[number].length; length++) {
        assertRefused(suite, genuine, number, Arrays.copyOf(genuine[number], length));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void noAddedByteSurvives(Suite suite) throws Exception {
    byte[][] genuine = genuine(suite);

    for (int number = 0; number < genuine.length; number++) {
      byte[] longer = Arrays.copyOf(genuine[number], genuine[number].length + 1);
      assertRefused(suite, genuine, number, longer);
    }
  }

  private static byte[][] genuine(Suite suite) throws HandshakeException {
    Handshake initiator = Parties.initiator(suite);
    Handshake responder = Parties.responder(suite);
    byte[] first = initiator.writeMessage(PAYLOAD);
    responder.readMessage(first);
    byte[] second = responder.writeMessage(PAYLOAD);
    initiator.readMessage(second);
    byte[] third = initiator.writeMessage(PAYLOAD);
    assertThat(responder.readMessage(third)).isEqualTo(PAYLOAD);
    return new byte[][] {first, second, third};
  }

  private static void assertRefused(Suite suite, byte[][] genuine, int number, byte[] changed) {
    boolean passed =
        switch (number) {
          case 0 -> passesAsFirst(suite, changed);
          case 1 -> passesAsSecond(suite, changed);
          default -> passesAsThird(suite, genuine, changed);
        };
    assertThat(passed).as(() -> "message " + (number + 1) + " as " + Hex.of(changed)).isFalse();
  }

  /// Message 1 is in the clear: the responder may take it, but then its answer does not open.
  private static boolean passesAsFirst(Suite suite, byte[] changed) {
    Handshake responder = Parties.responder(suite);
    byte[] answer;
    try {
      responder.readMessage(changed);
      answer = responder.writeMessage(PAYLOAD);
    } catch (HandshakeException _) {
      return responder.isComplete();
    }
    return passesAsSecond(suite, answer);
  }

  private static boolean passesAsSecond(Suite suite, byte[] changed) {
    Handshake initiator = Parties.initiator(suite);
    try {
      initiator.writeMessage(PAYLOAD);
      initiator.readMessage(changed);
      return true;
    } catch (HandshakeException _) {
      return initiator.isComplete();
    }
  }

  private static boolean passesAsThird(Suite suite, byte[][] genuine, byte[] changed) {
    Handshake responder = Parties.responder(suite);
    try {
      responder.readMessage(genuine[0]);
      responder.writeMessage(PAYLOAD);
      responder.readMessage(changed);
      return true;
    } catch (HandshakeException _) {
      return responder.isComplete();
    }
  }
}
