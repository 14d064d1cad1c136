package io.penstock.codec.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The hex examples of `docs/protocol.md`, section 4: hex in, frame out, and back.
class ProtocolExamplesTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("\\| [^|]+ \\| `([0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{4} [0-9a-f ]+)` \\|");

  @Test
  void theExamplesReadAsTheySay() throws Exception {
    List<Object> frames = new ArrayList<>();
    for (byte[] example : examples()) {
      new FrameReader(frame -> frames.add(comparable(frame))).read(Unpooled.wrappedBuffer(example));
    }

    assertThat(frames)
        .containsExactly(
            new Frame.Ping(1),
            new Frame.Pong(1, 1_700_000_000_000L),
            "DATA on 2, end true: hello",
            new Frame.Credit(2, 32_768),
            new Frame.Reset(4, ErrorCode.DEADLINE, true, ""),
            new Frame.Drain(5_000, 30_000));
  }

  @Test
  void theExamplesAreWhatWeWrite() throws IOException {
    ByteBuf out = Unpooled.buffer();
    FrameWriter.ping(out, 1);
    FrameWriter.pong(out, 1, 1_700_000_000_000L);
    ByteBuf hello = Unpooled.copiedBuffer("hello", StandardCharsets.US_ASCII);
    FrameWriter.frame(out, Protocol.DATA, Protocol.END, 2, hello, 5);
    FrameWriter.credit(out, 2, 32_768);
    FrameWriter.reset(out, 4, ErrorCode.DEADLINE, true, "");
    FrameWriter.drain(out, 5_000, 30_000);

    ByteBuf expected = Unpooled.buffer();
    examples().forEach(expected::writeBytes);
    assertThat(ByteBufUtil.hexDump(out)).isEqualTo(ByteBufUtil.hexDump(expected));
  }

  private static Object comparable(Frame frame) throws ProtocolException {
    return frame instanceof Frame.Data data
        ? "DATA on %d, end %s: %s"
            .formatted(
                data.streamId(), data.end(), data.payload().toString(StandardCharsets.US_ASCII))
        : frame;
  }

  private static List<byte[]> examples() throws IOException {
    var examples = new ArrayList<byte[]>();
    for (String line : Files.readAllLines(Path.of("..", "docs", "protocol.md"))) {
      var matcher = EXAMPLE.matcher(line);
      if (matcher.matches()) {
        examples.add(HexFormat.of().parseHex(matcher.group(1).replace(" ", "")));
      }
    }
    assertThat(examples).hasSize(6);
    return examples;
  }
}
