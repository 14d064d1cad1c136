package io.penstock.agent.plugin.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.agent.plugin.http.StrictLlhttpCases.Case;
import io.penstock.agent.plugin.http.StrictResponseDecoder.RefusedResponse;
import io.penstock.codec.http.HeadLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// llhttp's published answers, each as the answer to one GET whose connection the system closes
/// behind its last byte. The verdicts are listed in a file.
class StrictResponseVectorsTest {

  private static final List<String> FILES =
      List.of(
          "connection",
          "content-length",
          "finish",
          "invalid",
          "lenient-version",
          "pausing",
          "pipelining",
          "sample",
          "transfer-encoding");

  /// A head that no reader takes for another: written without a look at the gate.
  private static final String PLAIN_LINE =
      "HTTP/1\\.[01] [1-5]\\d\\d( [\\t -~\\x80-\\xff]*)?\\r\\n";
  private static final String PLAIN_FIELDS = "([!-9;-~]+:[\\t -~]*\\r\\n)*\\r\\n";
  private static final Pattern PLAIN_HEAD = Pattern.compile(PLAIN_LINE + PLAIN_FIELDS);

  private static final Pattern LENGTH =
      Pattern.compile("(?i)\\r\\ncontent.length[^a-z0-9:-]*:[^\\r\\n]*");
  private static final Pattern PLAIN_LENGTH =
      Pattern.compile("(?i)\\r\\nContent-Length:[ \\t]*\\d+[ \\t]*");
  private static final Pattern CODING =
      Pattern.compile("(?i)\\r\\ntransfer.encoding[^a-z0-9:-]*:[^\\r\\n]*");
  private static final Pattern PLAIN_CODING =
      Pattern.compile("(?i)\\r\\nTransfer-Encoding:[ \\t]*chunked[ \\t]*");

  @Test
  void judgesEveryLlhttpResponseAsListed() {
    List<String> lines = new ArrayList<>();
    for (Case response : StrictLlhttpCases.read("/http1/llhttp/response/", FILES)) {
      lines.add(response.name() + "\t" + judge(response));
    }

    StrictVerdicts.compare("verdicts-llhttp.tsv", lines);
  }

  private static String judge(Case response) {
    byte[] bytes = response.bytes();
    String verdict = verdict(bytes, 0);
    if (verdict.startsWith("accept")) {
      assertIsPlain(response);
      for (int at = 1; at < bytes.length; at++) {
        assertThat(verdict(bytes, at)).as("%s cut at %d", response.name(), at).isEqualTo(verdict);
      }
    }
    return verdict;
  }

  /// At most one length or coding, in the one spelling that everyone reads alike, and never both.
  private static void assertIsPlain(Case response) {
    int end = response.latin1().indexOf("\r\n\r\n") + 4;
    String head = response.latin1().substring(0, end);
    List<String> lengths = LENGTH.matcher(head).results().map(found -> found.group()).toList();
    List<String> codings = CODING.matcher(head).results().map(found -> found.group()).toList();

    assertThat(head).as(response.name()).matches(PLAIN_HEAD);
    assertThat(lengths.size() + codings.size()).as(response.name()).isLessThanOrEqualTo(1);
    assertThat(lengths).as(response.name()).allMatch(PLAIN_LENGTH.asMatchPredicate());
    assertThat(codings).as(response.name()).allMatch(PLAIN_CODING.asMatchPredicate());
  }

  private static String verdict(byte[] bytes, int cut) {
    StrictResponseDecoder decoder = new StrictResponseDecoder(HeadLimits.DEFAULT);
    decoder.expect(HttpMethod.GET, false);
    EmbeddedChannel channel = new EmbeddedChannel(decoder);
    if (cut > 0) {
      channel.writeInbound(Unpooled.copiedBuffer(bytes, 0, cut));
    }
    channel.writeInbound(Unpooled.copiedBuffer(bytes, cut, bytes.length - cut));
    channel.finish();
    return describe(channel);
  }

  private static String describe(EmbeddedChannel channel) {
    StringBuilder verdict = new StringBuilder();
    int bodyBytes = 0;
    for (Object message = channel.readInbound(); message != null; message = channel.readInbound()) {
      switch (message) {
        case RefusedResponse refused -> verdict.append("refuse ").append(refused.refusal());
        case HttpResponse response -> verdict.append("accept ").append(response.status().code());
        case HttpContent content when content.decoderResult().isFailure() ->
            verdict.append(", break off: ").append(content.decoderResult().cause().getMessage());
        case HttpContent content -> {
          bodyBytes += content.content().readableBytes();
          if (content instanceof LastHttpContent) {
            verdict.append(" body=").append(bodyBytes).append(" | ");
            bodyBytes = 0;
          }
        }
        case ByteBuf raw -> verdict.append("raw ").append(raw.toString(ISO_8859_1));
        default -> throw new AssertionError("unexpected " + message);
      }
      ReferenceCountUtil.release(message);
    }
    return verdict.isEmpty()
        ? "waits for the head's end"
        : verdict.toString().replaceFirst(" \\| $", "");
  }
}
