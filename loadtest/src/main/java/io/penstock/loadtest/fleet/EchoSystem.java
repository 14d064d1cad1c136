package io.penstock.loadtest.fleet;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.Allow;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.Arrays;
import java.util.List;

/// The one system of a fleet that answers: each request at once with 200 and as many bytes as was
/// said. What comes with a request is read and forgotten.
///
/// Keeps nothing but open streams, of which a session has so many at most, and waiting bytes of a
/// stream are pieces of one array that all share.
final class EchoSystem {
  static final String NAME = "echo";

  private static final AsciiString SYSTEM = AsciiString.of(NAME);
  private static final AsciiString GET = AsciiString.of("GET");
  private static final byte[] PIECE = new byte[8 * 1024];

  static {
    Arrays.fill(PIECE, (byte) 'x');
  }

  private final int answerBytes;

  EchoSystem(int answerBytes) {
    this.answerBytes = answerBytes;
  }

  EffectiveRules rules() {
    return new EffectiveRules(
        List.of(
            new SystemRules(
                NAME, "http", true, List.of(new Allow(List.of(GET.toString()), List.of("/**"))))));
  }

  /// As a real agent it has the last word on what may be invoked.
  StreamListener open(MuxStream stream, ByteBuf open) throws ProtocolException {
    OpenHead head = OpenHead.read(open);
    if (head.kind() != StreamKind.HTTP || !head.system().equals(SYSTEM)) {
      return refuse(stream, ErrorCode.UNKNOWN_TARGET, "a simulated agent has no such system");
    }
    if (!RequestHead.read(open).method().equals(GET)) {
      return refuse(stream, ErrorCode.NOT_EXPOSED, "not exposed");
    }
    var answer = new Answer(stream);
    answer.begin();
    return answer;
  }

  static StreamListener refuse(MuxStream stream, ErrorCode code, String text) {
    stream.reset(code, true, text);
    return Refused.INSTANCE;
  }

  /// Writes while the stream takes more, which is while its credit lasts, and goes on when it takes
  /// more again.
  private final class Answer implements StreamListener {
    private final MuxStream stream;
    private int left = answerBytes;

    Answer(MuxStream stream) {
      this.stream = stream;
    }

    void begin() {
      ByteBuf head = stream.allocator().buffer(64);
      new AnswerHead(200, 0, 0, fields()).write(head);
      if (left == 0) {
        stream.timing(0, 0, 0, 0);
      }
      stream.head(head, left == 0);
      write();
    }

    private Fields fields() {
      return new Fields(2)
          .add("content-type", "application/octet-stream")
          .add("content-length", String.valueOf(answerBytes));
    }

    private void write() {
      while (left > 0 && stream.isWritable()) {
        int length = Math.min(left, PIECE.length);
        left -= length;
        if (left == 0) {
          stream.timing(0, 0, 0, 0);
        }
        stream.data(Unpooled.wrappedBuffer(PIECE, 0, length), left == 0);
      }
    }

    @Override
    public void onWritable() {
      write();
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      stream.consumed(data.readableBytes());
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      left = 0;
    }
  }

  private enum Refused implements StreamListener {
    INSTANCE;

    @Override
    public void onData(ByteBuf data, boolean end) {
      // The stream is reset.
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      // As it should be.
    }
  }
}
