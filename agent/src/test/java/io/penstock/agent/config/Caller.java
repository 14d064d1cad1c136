package io.penstock.agent.config;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import io.penstock.agent.mock.MockSession;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.SystemTest;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.StreamListener;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Streams that a broker opens on its end of a session.
final class Caller implements StreamListener {
  private final CompletableFuture<String> heard = new CompletableFuture<>();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private int status;

  private Caller() {}

  /// `200 body`, or `RESET code`.
  static CompletableFuture<String> begin(MockSession session, String system, String... fields) {
    var head = open(StreamKind.HTTP, system);
    var all = new Fields(fields.length / 2);
    for (int i = 0; i < fields.length; i += 2) {
      all.add(AsciiString.of(fields[i]), AsciiString.of(fields[i + 1]));
    }
    new RequestHead(AsciiString.of("GET"), AsciiString.of("/api/orders"), all).write(head);
    return send(session, head).heard;
  }

  static String get(MockSession session, String system, String... fields) throws Exception {
    return begin(session, system, fields).get(20, TimeUnit.SECONDS);
  }

  /// Empty for HEAD 404.
  static Optional<TestReport> test(MockSession session, String system, @Nullable Long version)
      throws Exception {
    var head = open(StreamKind.DIAGNOSTIC, system);
    head.writeBytes(Messages.encode(systemTest(version)));
    Caller caller = send(session, head);
    String answer = caller.heard.get(30, TimeUnit.SECONDS);
    return answer.startsWith("404")
        ? Optional.empty()
        : Optional.of(Messages.decode(caller.body.toByteArray(), TestReport.class));
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the version may be null
  private static SystemTest systemTest(@Nullable Long version) {
    return new SystemTest(version);
  }

  private static ByteBuf open(StreamKind kind, String system) {
    ByteBuf head = Unpooled.buffer();
    new OpenHead(
            kind,
            Deadlines.DEFAULT,
            new RequestIds(1, 2, 3, 4, 5, 0),
            AsciiString.of(system),
            AsciiString.of("test"))
        .write(head);
    return head;
  }

  private static Caller send(MockSession session, ByteBuf head) {
    var caller = new Caller();
    session
        .eventLoop()
        .execute(
            () -> {
              if (session.core().open(head, true, caller).isEmpty()) {
                caller.heard.complete("no room");
              }
            });
    return caller;
  }

  @Override
  public void onHead(ByteBuf head, boolean end) {
    try {
      status = AnswerHead.read(head).status();
    } catch (ProtocolException broken) {
      heard.completeExceptionally(broken);
    }
    if (end) {
      done();
    }
  }

  @Override
  public void onData(ByteBuf data, boolean end) {
    byte[] bytes = new byte[data.readableBytes()];
    data.getBytes(data.readerIndex(), bytes);
    body.writeBytes(bytes);
    if (end) {
      done();
    }
  }

  private void done() {
    heard.complete((status + " " + body.toString(StandardCharsets.UTF_8)).strip());
  }

  @Override
  public void onReset(ErrorCode code, boolean untouched, String text) {
    heard.complete("RESET " + code);
  }
}
