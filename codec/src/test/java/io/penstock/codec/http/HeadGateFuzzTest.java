package io.penstock.codec.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.Unpooled;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;

/// Whatever the bytes: a verdict, no exception, and none accepted that is not plain.
@Tag("conformance")
class HeadGateFuzzTest {

  private static final String FIELD = "[!-9;-~]++:[\\t -~]*+\\r\\n";
  private static final Pattern PLAIN_REQUEST =
      Pattern.compile("[!-~]+ [!-~]+ HTTP/1\\.[01]\\r\\n(" + FIELD + ")++\\r\\n");
  private static final Pattern PLAIN_ANSWER =
      Pattern.compile(
          "HTTP/1\\.[01] [1-5]\\d\\d( [\\t -~\\x80-\\xff]*+)?\\r\\n(" + FIELD + ")*+\\r\\n");

  @FuzzTest(maxDuration = "60s")
  void judgesAnyBytesAsARequest(byte[] bytes) {
    Verdict verdict =
        HeadGate.request(Unpooled.wrappedBuffer(bytes), 0, bytes.length, HeadLimits.DEFAULT);

    if (verdict instanceof Verdict.Accepted) {
      String head = new String(bytes, ISO_8859_1);
      assertThat(head).matches(PLAIN_REQUEST);
      assertThat(head.toLowerCase(Locale.ROOT)).containsOnlyOnce("\r\nhost:");
    }
  }

  @FuzzTest(maxDuration = "60s")
  void judgesAnyBytesAsAnAnswer(byte[] bytes) {
    Verdict verdict =
        HeadGate.response(
            Unpooled.wrappedBuffer(bytes), 0, bytes.length, Asked.ORDINARY, HeadLimits.DEFAULT);

    if (verdict instanceof Verdict.Accepted) {
      assertThat(new String(bytes, ISO_8859_1)).matches(PLAIN_ANSWER);
    }
  }

  @FuzzTest(maxDuration = "60s")
  void followsAnyBytesAsChunks(byte[] bytes) {
    ChunkGate gate = new ChunkGate(HeadLimits.DEFAULT);

    int stopped = gate.follow(Unpooled.wrappedBuffer(bytes), 0, bytes.length);

    assertThat(stopped).isBetween(0, bytes.length);
    assertThat(gate.isDone() && gate.fault().isPresent()).isFalse();
    if (gate.isDone()) {
      assertThat(new String(bytes, 0, stopped, ISO_8859_1)).endsWith("\r\n\r\n");
    }
  }
}
