package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ControlMessage.ConfigurationRequest;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The documents that one agent is fetching, at most [#AT_ONCE]; one more is refused with
/// OVERLOADED, and the agent tries again. On the session's event loop.
final class DocumentStreams {
  static final int AT_ONCE = 8;
  private static final int SLICE_BYTES = 16 * 1024;

  private final Session session;
  private final Consumer<DocumentStream> answering;
  private final List<DocumentStream> early = new ArrayList<>(0);
  private boolean admitted;
  private int running;

  /// @param answering gets each request once the session is admitted
  DocumentStreams(Session session, Consumer<DocumentStream> answering) {
    this.session = session;
    this.answering = answering;
  }

  /// @param head stands behind the part that every OPEN has
  StreamListener open(MuxStream stream, ByteBuf head) throws ProtocolException {
    ConfigurationRequest request = request(head);
    if (running == AT_ONCE) {
      throw new ProtocolException(
          ErrorCode.OVERLOADED, "expected at most " + AT_ONCE + " documents at once");
    }
    running++;
    var asked = new Asked(stream, request);
    if (admitted) {
      answering.accept(asked);
    } else {
      early.add(asked);
    }
    return asked;
  }

  private static ConfigurationRequest request(ByteBuf head) throws ProtocolException {
    try {
      return Messages.decode(ByteBufUtil.getBytes(head), ConfigurationRequest.class);
    } catch (ProtocolException malformed) {
      throw new ProtocolException(ErrorCode.BAD_REQUEST, "expected a configuration request");
    }
  }

  /// ADMITTED lets the agent open streams; who it is, is known a moment later.
  void admit() {
    admitted = true;
    early.forEach(answering);
    early.clear();
  }

  /// One request, and the document on its way.
  private final class Asked implements DocumentStream, StreamListener {
    private final MuxStream stream;
    private final ConfigurationRequest request;
    private final CompletableFuture<Void> over = new CompletableFuture<>();

    // The event loop's.
    private @Nullable ByteBuf left;
    private boolean answered;

    Asked(MuxStream stream, ConfigurationRequest request) {
      this.stream = stream;
      this.request = request;
    }

    @Override
    public ConfigurationRequest request() {
      return request;
    }

    @Override
    public boolean isOver() {
      return over.isDone();
    }

    @Override
    public CompletionStage<Void> send(byte[] document) {
      onLoop(() -> begin(document));
      return over;
    }

    private void begin(byte[] document) {
      if (mayAnswer()) {
        stream.head(head(200), false);
        left = Unpooled.wrappedBuffer(document);
        onWritable();
      }
    }

    @Override
    public void onWritable() {
      ByteBuf rest = left;
      while (rest != null && stream.isWritable()) {
        int slice = Math.min(rest.readableBytes(), SLICE_BYTES);
        boolean last = slice == rest.readableBytes();
        stream.data(rest.readRetainedSlice(slice), last);
        if (last) {
          end();
          return;
        }
      }
    }

    @Override
    public void missing() {
      onLoop(
          () -> {
            if (mayAnswer()) {
              stream.head(head(404), true);
              end();
            }
          });
    }

    @Override
    public void refuse(ErrorCode code, String text) {
      onLoop(
          () -> {
            if (!over.isDone()) {
              stream.reset(code, true, text);
              finish();
            }
          });
    }

    private boolean mayAnswer() {
      boolean first = !answered && !over.isDone() && !stream.isClosed();
      answered = true;
      return first;
    }

    /// All is said; an agent that has not ended its own direction need not.
    private void end() {
      if (!stream.peerEnded()) {
        stream.stopPeerAfterEnd();
      }
      finish();
    }

    private ByteBuf head(int status) {
      ByteBuf head = stream.allocator().heapBuffer(16);
      new AnswerHead(status, 0, 0, new Fields(0)).write(head);
      return head;
    }

    /// The agent asks by OPEN alone; what it sends besides is dropped.
    @Override
    public void onData(ByteBuf data, boolean end) {
      stream.consumed(data.readableBytes());
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      finish();
    }

    private void finish() {
      if (left != null) {
        left.release();
        left = null;
      }
      if (over.complete(null)) {
        running--;
      }
    }

    private void onLoop(Runnable step) {
      if (!session.onLoop(step)) {
        over.complete(null);
      }
    }
  }
}
