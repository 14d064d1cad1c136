package io.penstock.codec.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class MessagesTest {
  private static final ObjectMapper PLAIN_CBOR = new CBORMapper();

  @Test
  void aMessageReadsBackAsWritten() throws ProtocolException {
    var rules =
        new EffectiveRules(
            List.of(
                new SystemRules(
                    "erp", "http", true, List.of(new Allow(List.of("GET"), List.of("/api/**"))))));

    assertThat(Messages.decode(Messages.encode(rules))).contains(rules);
  }

  @Test
  void keysOnTheWireAreThoseOfTheSpecification() throws IOException {
    byte[] wire = Messages.encode(new ControlMessage.Admitted(7, true, 2));

    assertThat((Object) PLAIN_CBOR.readValue(wire, Map.class))
        .isEqualTo(
            Map.of("t", "admitted", "session_epoch", 7, "rotate_unlock", true, "tunnels", 2));
  }

  @Test
  void everyMessageOfTheSpecificationIsInCodeAndBack() throws IOException {
    Matcher blocks =
        Pattern.compile("```cddl\\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("..", "docs", "protocol.md")));

    assertThat(blocks.find()).isTrue();
    assertThat(namesOf(ControlMessage.class)).isEqualTo(namesIn(blocks.group(1)));
    assertThat(blocks.find()).isTrue();
    assertThat(namesOf(DeliveryMessage.class)).isEqualTo(namesIn(blocks.group(1)));
  }

  private static Set<String> namesIn(String cddl) {
    return Pattern.compile("= \\{ t: \"([a-z_]+)\"")
        .matcher(cddl)
        .results()
        .map(name -> name.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> namesOf(Class<?> messages) {
    return Arrays.stream(messages.getAnnotation(JsonSubTypes.class).value())
        .peek(type -> assertThat(type.name()).isEqualTo(snakeCase(type.value().getSimpleName())))
        .map(JsonSubTypes.Type::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String snakeCase(String name) {
    return name.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }

  @Test
  void unknownKeysAreIgnored() throws Exception {
    byte[] wire =
        PLAIN_CBOR.writeValueAsBytes(
            Map.of("t", "unlock_stored", "unlock_epoch", 3, "of_a_newer_peer", List.of(1, 2)));

    assertThat(Messages.decode(wire)).contains(new ControlMessage.UnlockStored(3));
  }

  @Test
  void anUnknownMessageIsSkipped() throws Exception {
    byte[] wire = PLAIN_CBOR.writeValueAsBytes(Map.of("t", "of_a_newer_peer", "x", 1));

    assertThat(Messages.decode(wire)).isEmpty();
  }

  @Test
  void aFieldOfTheWrongLengthIsRefused() throws IOException {
    byte[] wire = PLAIN_CBOR.writeValueAsBytes(Map.of("t", "ready", "signature", new byte[63]));

    assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> Messages.decode(wire));
  }

  @Test
  void aMissingFieldIsRefused() throws IOException {
    byte[] wire = PLAIN_CBOR.writeValueAsBytes(Map.of("t", "unlock_stored"));

    assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> Messages.decode(wire));
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] wire = Messages.encode(new ControlMessage.Pending("a", "s", "ABCD-EFGH"));

    for (int length = 0; length < wire.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(wire, length);
      assertThatExceptionOfType(ProtocolException.class)
          .as("cut to %d bytes", length)
          .isThrownBy(() -> Messages.decode(cut));
    }
  }

  @Test
  void theErrorDoesNotEchoThePeer() {
    byte[] wire = "t: attacker-controlled".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> Messages.decode(wire))
        .withMessageNotContaining("attacker");
  }
}
