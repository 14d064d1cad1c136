package io.penstock.codec.noise;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// A peer that sends anything. Whatever comes, a handshake answers with a [HandshakeException] or
/// goes on, and no message 2 or 3 but the genuine one passes.
///
/// `mvn verify` plays the seeds. To search for more, set the environment variable `JAZZER_FUZZ=1`
/// and run one method, as in `mvn -pl codec test
/// -Dtest=HandshakeFuzzTest#responderReadsAnyFirstMessage`.
class HandshakeFuzzTest {
  private static final byte[] NOTHING = {};

  @MethodSource("firstMessages")
  @FuzzTest(maxDuration = "5m")
  void responderReadsAnyFirstMessage(byte[] data) {
    Suite suite = suite(data);
    Handshake responder = Parties.responder(suite);
    try {
      responder.readMessage(message(data));
      responder.writeMessage(NOTHING);
    } catch (HandshakeException refused) {
      assertThat(refused).hasNoCause();
    }
    assertThat(responder.isComplete()).isFalse();
  }

  @MethodSource("secondMessages")
  @FuzzTest(maxDuration = "5m")
  void initiatorReadsNoSecondMessageButTheGenuine(byte[] data) throws HandshakeException {
    Suite suite = suite(data);
    Handshake initiator = Parties.initiator(suite);
    initiator.writeMessage(NOTHING);
    try {
      initiator.readMessage(message(data));
      assertThat(message(data)).isEqualTo(Transcript.of(suite).second());
    } catch (HandshakeException refused) {
      assertThat(refused).hasNoCause();
    }
  }

  @MethodSource("thirdMessages")
  @FuzzTest(maxDuration = "5m")
  void responderReadsNoThirdMessageButTheGenuine(byte[] data) throws HandshakeException {
    Suite suite = suite(data);
    Handshake responder = Parties.responder(suite);
    responder.readMessage(Transcript.of(suite).first());
    responder.writeMessage(NOTHING);
    try {
      responder.readMessage(message(data));
      assertThat(message(data)).isEqualTo(Transcript.of(suite).third());
    } catch (HandshakeException refused) {
      assertThat(refused).hasNoCause();
    }
  }

  static Stream<byte[]> firstMessages() {
    return Arrays.stream(Suite.values()).map(suite -> seed(suite, Transcript.of(suite).first()));
  }

  static Stream<byte[]> secondMessages() {
    return Arrays.stream(Suite.values()).map(suite -> seed(suite, Transcript.of(suite).second()));
  }

  static Stream<byte[]> thirdMessages() {
    return Arrays.stream(Suite.values()).map(suite -> seed(suite, Transcript.of(suite).third()));
  }

  /// The first byte picks the suite, the others are the message.
  private static byte[] seed(Suite suite, byte[] message) {
    byte[] data = new byte[1 + message.length];
    data[0] = (byte) List.of(Suite.values()).indexOf(suite);
    System.arraycopy(message, 0, data, 1, message.length);
    return data;
  }

  private static Suite suite(byte[] data) {
    Suite[] suites = Suite.values();
    return data.length == 0 ? Suite.XX : suites[Byte.toUnsignedInt(data[0]) % suites.length];
  }

  private static byte[] message(byte[] data) {
    return data.length == 0 ? NOTHING : Arrays.copyOfRange(data, 1, data.length);
  }

  /// The three genuine messages of the fixed parties.
  private record Transcript(Hex firstHex, Hex secondHex, Hex thirdHex) {
    static Transcript of(Suite suite) {
      try {
        Handshake initiator = Parties.initiator(suite);
        Handshake responder = Parties.responder(suite);
        byte[] first = initiator.writeMessage(NOTHING);
        responder.readMessage(first);
        byte[] second = responder.writeMessage(NOTHING);
        initiator.readMessage(second);
        byte[] third = initiator.writeMessage(NOTHING);
        return new Transcript(Hex.of(first), Hex.of(second), Hex.of(third));
      } catch (HandshakeException impossible) {
        throw new AssertionError(requireNonNull(impossible.getMessage()), impossible);
      }
    }

    byte[] first() {
      return firstHex.bytes();
    }

    byte[] second() {
      return secondHex.bytes();
    }

    byte[] third() {
      return thirdHex.bytes();
    }
  }
}
