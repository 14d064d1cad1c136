package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CredentialsTest {
  private final List<String> problems = new ArrayList<>();

  private Credentials read(String settings, String secrets) {
    return Credentials.read(json(settings), json(secrets), problems);
  }

  private static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text);
    } catch (JsonProcessingException typo) {
      throw new IllegalArgumentException(typo);
    }
  }

  @Test
  void areWipedWhenTheLastCallOfAClosedSystemIsOver() {
    Credentials credentials = read("{}", "{\"bearer_token\":\"canary\"}");
    credentials.borrow();
    credentials.close();
    ByteBuf written = Unpooled.buffer();
    credentials.write(written);

    assertThat(written.toString(StandardCharsets.US_ASCII))
        .isEqualTo("Authorization: Bearer canary\r\n");
    assertThat(credentials.isWiped()).isFalse();
    credentials.giveBack();
    assertThat(credentials.isWiped()).isTrue();
  }

  @Test
  void printNothing() {
    Credentials credentials =
        read("{\"user\":\"u\"}", "{\"password\":\"canary\",\"header_value\":\"canary\"}");

    assertThat(credentials).asString().doesNotContain("canary");
    assertThat(problems).containsExactly("header_value: needs header_name");
  }

  @Test
  void neverBecomeASecondLine() {
    read("{\"header_name\":\"X-Key\"}", "{\"header_value\":\"canary\\r\\nHost: evil\"}");

    assertThat(problems)
        .containsExactly("X-Key: expected a value of one line, found control characters");
  }
}
