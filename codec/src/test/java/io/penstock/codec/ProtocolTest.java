package io.penstock.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The numbers in code are those of the specification.
class ProtocolTest {
  private static final Path SPECIFICATION = Path.of("..", "docs", "protocol.md");

  @Test
  void frameTypesAreThoseOfTheSpecification() throws IOException {
    Map<String, Integer> specified = numbers("\\| 0x([0-9A-F]{2}) \\| ([A-Z]+) \\| [0n] \\|", 16);

    assertThat(specified)
        .containsExactlyEntriesOf(
            ordered(
                "CONTROL",
                Protocol.CONTROL,
                "OPEN",
                Protocol.OPEN,
                "HEAD",
                Protocol.HEAD,
                "DATA",
                Protocol.DATA,
                "TRAILERS",
                Protocol.TRAILERS,
                "TIMING",
                Protocol.TIMING,
                "RESET",
                Protocol.RESET,
                "CREDIT",
                Protocol.CREDIT,
                "PING",
                Protocol.PING,
                "MESSAGE",
                Protocol.MESSAGE,
                "RECEIPT",
                Protocol.RECEIPT,
                "REKEY",
                Protocol.REKEY,
                "DRAIN",
                Protocol.DRAIN,
                "CLOSE",
                Protocol.CLOSE));
  }

  @Test
  void flagsAreThoseOfTheSpecification() throws IOException {
    Map<String, Integer> specified = numbers("\\| 0x([0-9A-F]{2}) \\| (END|ACK|MORE|WANT) \\|", 16);

    assertThat(specified)
        .containsExactlyEntriesOf(
            ordered(
                "END",
                Protocol.END,
                "ACK",
                Protocol.ACK,
                "MORE",
                Protocol.MORE,
                "WANT",
                Protocol.WANT));
  }

  @Test
  void errorCodesAreThoseOfTheSpecification() throws IOException {
    Map<String, Integer> specified = numbers("\\| (\\d+) \\| ([A-Z_]+) \\| (?:stream|session)", 10);

    var inCode = new LinkedHashMap<String, Integer>();
    for (ErrorCode code : ErrorCode.values()) {
      inCode.put(code.name(), code.number());
      assertThat(ErrorCode.of(code.number())).isEqualTo(code);
    }
    assertThat(specified).containsExactlyEntriesOf(inCode);
  }

  @Test
  void anErrorNumberOfANewerPeerReadsAsInternal() {
    assertThat(ErrorCode.of(999)).isEqualTo(ErrorCode.INTERNAL);
    assertThat(ErrorCode.of(-1)).isEqualTo(ErrorCode.INTERNAL);
  }

  @Test
  void limitsAreThoseOfTheSpecification() {
    assertThat(Protocol.HEADER_BYTES).isEqualTo(8);
    assertThat(Protocol.MAX_PLAINTEXT_BYTES).isEqualTo(65_519);
    // Header of a masked WebSocket message (8), tag (16) and plaintext fit one TLS record.
    assertThat(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES + 16 + 8).isEqualTo(16_384);
    assertThat(Protocol.INITIAL_CREDIT_BYTES).isEqualTo(32_768);
    assertThat(Protocol.MAX_CREDIT_BYTES).isEqualTo(4_194_304);
    assertThat(Protocol.REKEY_RECORDS).isEqualTo(1_048_576);
    assertThat(Protocol.PING_AFTER_MS).isEqualTo(5_000);
    assertThat(Protocol.DEAD_AFTER_MS).isEqualTo(15_000);
  }

  private static Map<String, Integer> numbers(String row, int radix) throws IOException {
    var found = new LinkedHashMap<String, Integer>();
    var pattern = Pattern.compile(row);
    for (String line : Files.readAllLines(SPECIFICATION)) {
      var matcher = pattern.matcher(line);
      if (matcher.lookingAt()) {
        found.put(matcher.group(2), Integer.parseInt(matcher.group(1), radix));
      }
    }
    return found;
  }

  private static Map<String, Integer> ordered(Object... namesAndNumbers) {
    var map = new LinkedHashMap<String, Integer>();
    for (int i = 0; i < namesAndNumbers.length; i += 2) {
      map.put((String) namesAndNumbers[i], (Integer) namesAndNumbers[i + 1]);
    }
    return map;
  }
}
