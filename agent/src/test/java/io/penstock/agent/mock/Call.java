package io.penstock.agent.mock;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.Frame;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// One invocation from the broker's side, with everything that came back.
public final class Call implements StreamListener {
  private final EventLoop loop;
  private final CompletableFuture<String> ended = new CompletableFuture<>();
  private final CompletableFuture<AnswerHead> finalHead = new CompletableFuture<>();
  private final List<String> frames = new ArrayList<>();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private final AtomicLong bodyBytes = new AtomicLong();
  private final AtomicLong sentBytes = new AtomicLong();
  private @Nullable MuxStream stream;
  private boolean reading = true;
  private boolean keepsBody = true;
  private int unread;
  private byte @Nullable [] endless;

  Call(EventLoop loop) {
    this.loop = loop;
  }

  void opened(MuxStream made) {
    stream = made;
  }

  private MuxStream stream() {
    if (stream == null) {
      throw new IllegalStateException("not opened yet");
    }
    return stream;
  }

  public Call send(String data, boolean end) {
    loop.execute(
        () -> stream().data(Unpooled.copiedBuffer(data, StandardCharsets.ISO_8859_1), end));
    return this;
  }

  public Call sendTrailers(Fields fields) {
    loop.execute(
        () -> {
          ByteBuf out = Unpooled.buffer();
          fields.write(out);
          stream().trailers(out);
        });
    return this;
  }

  /// Sends chunks for ever, as the stream takes them.
  public Call sendEndlessly(byte[] chunk) {
    loop.execute(
        () -> {
          endless = chunk;
          onWritable();
        });
    return this;
  }

  @Override
  public void onWritable() {
    byte[] chunk = endless;
    while (chunk != null && stream().isWritable()) {
      stream().data(Unpooled.wrappedBuffer(chunk), false);
      sentBytes.addAndGet(chunk.length);
    }
  }

  public long sentBytes() {
    return sentBytes.get();
  }

  public Call reset(ErrorCode code) {
    loop.execute(() -> stream().reset(code, false, "test"));
    return this;
  }

  /// Gives no credit back from now on.
  public Call stopReading() {
    loop.execute(() -> reading = false);
    return this;
  }

  public Call resumeReading() {
    loop.execute(
        () -> {
          reading = true;
          stream().consumed(unread);
          unread = 0;
        });
    return this;
  }

  public Call dropBody() {
    loop.execute(() -> keepsBody = false);
    return this;
  }

  public long bodyBytes() {
    return bodyBytes.get();
  }

  /// `END` or `RESET CODE[ untouched]`.
  public String ended() throws InterruptedException, ExecutionException, TimeoutException {
    return ended.get(20, TimeUnit.SECONDS);
  }

  public boolean isEnded() {
    return ended.isDone();
  }

  public AnswerHead head() throws InterruptedException, ExecutionException, TimeoutException {
    return finalHead.get(20, TimeUnit.SECONDS);
  }

  public String body() throws Exception {
    ended();
    return body.toString(StandardCharsets.ISO_8859_1);
  }

  /// Names of the frames in their order.
  public List<String> frames() throws Exception {
    return loop.submit(() -> List.copyOf(frames)).get(5, TimeUnit.SECONDS);
  }

  public String field(String name) throws Exception {
    Fields fields = head().fields();
    var found = new StringBuilder();
    fields.forEach(
        (key, value) -> {
          if (key.toString().equalsIgnoreCase(name)) {
            found.append(found.isEmpty() ? "" : "|").append(value);
          }
        });
    return found.toString();
  }

  @Override
  public void onHead(ByteBuf head, boolean end) {
    try {
      AnswerHead answer = AnswerHead.read(head);
      frames.add("HEAD " + answer.status());
      if (answer.status() >= 200) {
        finalHead.complete(answer);
      }
      endIf(end);
    } catch (ProtocolException broken) {
      ended.completeExceptionally(broken);
    }
  }

  @Override
  public void onData(ByteBuf data, boolean end) {
    int length = data.readableBytes();
    bodyBytes.addAndGet(length);
    if (keepsBody) {
      body.writeBytes(ByteBufUtil.getBytes(data));
    }
    frames.add(end ? "DATA END" : "DATA");
    if (reading) {
      stream().consumed(length);
    } else {
      unread += length;
    }
    endIf(end);
  }

  @Override
  public void onTrailers(ByteBuf fields) {
    try {
      Fields trailers = Fields.read(fields);
      var text = new StringBuilder("TRAILERS");
      trailers.forEach((name, value) -> text.append(' ').append(name).append('=').append(value));
      frames.add(text.toString());
      endIf(true);
    } catch (ProtocolException broken) {
      ended.completeExceptionally(broken);
    }
  }

  @Override
  public void onTiming(Frame.Timing timing) {
    frames.add("TIMING");
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    frames.add("RESET " + code);
    finalHead.completeExceptionally(new IllegalStateException("RESET " + code + " " + text));
    ended.complete("RESET " + code + (untouched ? " untouched" : ""));
  }

  private void endIf(boolean end) {
    if (end) {
      ended.complete("END");
    }
  }
}
