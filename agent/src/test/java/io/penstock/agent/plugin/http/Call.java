package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The broker's end of one call: remembers what the agent sends, in order.
public final class Call implements StreamListener {

  /// What came through the tunnel.
  public sealed interface Event {
    record Head(AnswerHead head, boolean end) implements Event {}

    record Data(byte[] bytes, boolean end) implements Event {
      @Override
      public String toString() {
        return "Data[" + bytes.length + (end ? ", end]" : "]");
      }
    }

    record Trailers(Fields fields) implements Event {}

    record Timing(Frame.Timing timing) implements Event {}

    record Reset(ErrorCode code, boolean untouched, String text) implements Event {}
  }

  /// An answer that ended as it should.
  record Answer(List<AnswerHead> heads, String body, Fields trailers, Frame.Timing timing) {
    int status() {
      return heads.getLast().status();
    }

    @Nullable String field(String name) {
      return Call.field(heads.getLast().fields(), name);
    }
  }

  private final Tunnel tunnel;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private @Nullable MuxStream stream;
  private boolean reads = true;
  private int held;

  Call(Tunnel tunnel) {
    this.tunnel = tunnel;
  }

  void opened(MuxStream opened) {
    stream = opened;
  }

  private MuxStream stream() {
    if (stream == null) {
      throw new IllegalStateException("not opened");
    }
    return stream;
  }

  static @Nullable String field(Fields fields, String name) {
    for (int i = 0; i < fields.count(); i++) {
      if (fields.name(i).toString().equalsIgnoreCase(name)) {
        return fields.value(i).toString();
      }
    }
    return null;
  }

  // What the caller does.

  Call send(String bytes, boolean end) {
    return send(bytes.getBytes(StandardCharsets.ISO_8859_1), end);
  }

  Call send(byte[] bytes, boolean end) {
    tunnel.on(
        () -> {
          stream().data(Unpooled.wrappedBuffer(bytes), end);
          return null;
        });
    return this;
  }

  void sendTrailers(String name, String value) {
    tunnel.on(
        () -> {
          ByteBuf fields = Unpooled.buffer();
          new Fields().add(name, value).write(fields);
          stream().trailers(fields);
          return null;
        });
  }

  void goAway() {
    tunnel.on(
        () -> {
          stream().reset(ErrorCode.CANCELLED, false, "gone");
          return null;
        });
  }

  /// From now on nothing is consumed.
  Call stopReading() {
    tunnel.on(() -> reads = false);
    return this;
  }

  void readAgain() {
    tunnel.on(
        () -> {
          reads = true;
          int bytes = held;
          held = 0;
          stream().consumed(bytes);
          return null;
        });
  }

  /// Bytes that wait for the agent's credit.
  boolean isWritable() {
    return tunnel.on(() -> stream().isWritable());
  }

  // What the agent did.

  Event next() {
    try {
      Event event = events.poll(10, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("nothing came through the tunnel");
      }
      return event;
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  boolean isQuiet() {
    return events.isEmpty();
  }

  AnswerHead head() {
    return ((Event.Head) next()).head();
  }

  /// The next event that is no part of an answer.
  public Event.Reset reset() {
    Event event = next();
    while (!(event instanceof Event.Reset reset)) {
      event = next();
    }
    return reset;
  }

  Answer answer() {
    var heads = new ArrayList<AnswerHead>();
    var body = new ByteArrayOutputStream();
    Frame.@Nullable Timing timing = null;
    var trailers = new Fields(0);
    boolean end = false;
    while (!end) {
      switch (next()) {
        case Event.Head it -> {
          heads.add(it.head());
          end = it.end();
        }
        case Event.Data it -> {
          body.writeBytes(it.bytes());
          end = it.end();
        }
        case Event.Trailers it -> {
          trailers = it.fields();
          end = true;
        }
        case Event.Timing it -> timing = it.timing();
        case Event.Reset it -> throw new AssertionError("no answer but " + it);
      }
    }
    if (timing == null) {
      throw new AssertionError("no TIMING before END");
    }
    return new Answer(heads, body.toString(StandardCharsets.ISO_8859_1), trailers, timing);
  }

  /// Counts an answer's body to its end.
  int answerLength() {
    int length = 0;
    boolean end = false;
    while (!end) {
      switch (next()) {
        case Event.Data it -> {
          length += it.bytes().length;
          end = it.end();
        }
        case Event.Reset it -> throw new AssertionError("no answer but " + it);
        case Event other -> end = other instanceof Event.Trailers;
      }
    }
    return length;
  }

  @Override
  public void onHead(ByteBuf head, boolean end) {
    try {
      events.add(new Event.Head(AnswerHead.read(head), end));
    } catch (ProtocolException malformed) {
      throw new IllegalStateException(malformed);
    }
  }

  @Override
  public void onData(ByteBuf data, boolean end) {
    int length = data.readableBytes();
    events.add(new Event.Data(ByteBufUtil.getBytes(data), end));
    if (reads) {
      stream().consumed(length);
    } else {
      held += length;
    }
  }

  @Override
  public void onTrailers(ByteBuf fields) {
    try {
      events.add(new Event.Trailers(Fields.read(fields)));
    } catch (ProtocolException malformed) {
      throw new IllegalStateException(malformed);
    }
  }

  @Override
  public void onTiming(Frame.Timing timing) {
    events.add(new Event.Timing(timing));
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    events.add(new Event.Reset(code, untouched, text));
  }
}
