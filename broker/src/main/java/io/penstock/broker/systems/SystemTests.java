package io.penstock.broker.systems;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.SystemTest;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import java.io.ByteArrayOutputStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Asks an agent, on one of its tunnels, whether it can reach a system (`docs/protocol.md`, section
/// 5, kind 8). The caller waits on a virtual thread; the stream is the tunnel's.
final class SystemTests {
  private static final int MAX_REPORT_BYTES = 64 * 1024;
  private static final int ANSWERED = 200;
  private static final int NO_SUCH_VERSION = 404;

  private final LiveSessions live;
  private final Duration deadline;
  private final SecureRandom random;

  SystemTests(LiveSessions live, Duration deadline, SecureRandom random) {
    this.live = live;
    this.deadline = deadline;
    this.random = random;
  }

  /// @param generation of the agent, whose sessions alone are asked
  TestReport run(
      String agent, long generation, String system, OptionalLong version, String caller) {
    List<LiveSession> sessions =
        live.of(agent).stream()
            .filter(session -> session.isOpen() && !session.draining())
            .filter(session -> session.admission().generation() == generation)
            .toList();
    for (LiveSession session : sessions) {
      var asked = new Asked(session);
      if (asked.open(question(system, version, caller))) {
        return asked.answer(deadline);
      }
    }
    throw Refusal.of(Reason.AGENT_OFFLINE, "the agent holds no tunnel that takes a stream");
  }

  private interface Question {
    void write(ByteBuf out);
  }

  private Question question(String system, OptionalLong version, String caller) {
    int millis = (int) deadline.toMillis();
    var head =
        new OpenHead(
            StreamKind.DIAGNOSTIC,
            new Deadlines(0, 0, 0, millis),
            ids(),
            AsciiString.of(system),
            AsciiString.of(ascii(caller)));
    @Nullable Long which = version.isPresent() ? version.getAsLong() : null;
    byte[] test = Messages.encode(new SystemTest(which));
    return out -> {
      head.write(out);
      out.writeBytes(test);
    };
  }

  private static String ascii(String caller) {
    String printable = caller.replaceAll("[^ -~]", "?");
    return printable.length() <= 255 ? printable : printable.substring(0, 255);
  }

  /// Neither a trace nor a span id may be 0.
  private RequestIds ids() {
    return new RequestIds(
        random.nextLong(),
        random.nextLong(),
        random.nextLong(),
        random.nextLong() | 1,
        random.nextLong() | 1,
        1);
  }

  /// One stream. All but [#open] and [#answer] runs on the tunnel's event loop.
  private static final class Asked implements StreamListener {
    private final LiveSession session;
    private final CompletableFuture<TestReport> report = new CompletableFuture<>();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private @Nullable MuxStream stream;

    Asked(LiveSession session) {
      this.session = session;
    }

    /// False when the session takes no stream.
    boolean open(Question question) {
      var opened = new CompletableFuture<Boolean>();
      session
          .eventLoop()
          .execute(
              () -> {
                ByteBuf head = io.netty.buffer.Unpooled.buffer(256);
                question.write(head);
                Optional<MuxStream> got = session.open(head, true, this);
                stream = got.orElse(null);
                opened.complete(got.isPresent());
              });
      return opened.join();
    }

    TestReport answer(Duration deadline) {
      try {
        return report.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException _) {
        session.eventLoop().execute(() -> cancel("the test's time is over"));
        throw Refusal.of(
            Reason.TEST_FAILED,
            "expected the agent's report within " + deadline.toSeconds() + " s, found none");
      } catch (ExecutionException failed) {
        if (failed.getCause() instanceof RefusedException refused) {
          throw refused;
        }
        throw new IllegalStateException("a test of a system", failed.getCause());
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        throw Refusal.of(Reason.TEST_FAILED, "the broker stops");
      }
    }

    @Override
    public void onHead(ByteBuf payload, boolean end) {
      int status;
      try {
        status = AnswerHead.read(payload).status();
      } catch (ProtocolException _) {
        refuse("a head that is none");
        return;
      }
      if (status == NO_SUCH_VERSION) {
        report.completeExceptionally(
            Refusal.of(Reason.UNKNOWN_VERSION, "the agent has no such version of the system"));
      } else if (status != ANSWERED || end) {
        refuse("status " + status + (end ? " without a report" : ""));
      }
    }

    @Override
    public void onData(ByteBuf data, boolean end) {
      int length = data.readableBytes();
      if (body.size() + length > MAX_REPORT_BYTES) {
        refuse("a report of more than " + MAX_REPORT_BYTES + " bytes");
        return;
      }
      byte[] bytes = new byte[length];
      data.readBytes(bytes);
      body.writeBytes(bytes);
      if (stream != null) {
        stream.consumed(length);
      }
      if (end) {
        finish();
      }
    }

    private void finish() {
      try {
        report.complete(Messages.decode(body.toByteArray(), TestReport.class));
      } catch (ProtocolException _) {
        refuse("a report that is none");
      }
    }

    @Override
    public void onTrailers(ByteBuf fields) {
      finish();
    }

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      failed("a stream that ended with " + code);
    }

    private void refuse(String found) {
      cancel("not a test report");
      failed(found);
    }

    private void cancel(String why) {
      if (stream != null) {
        stream.reset(ErrorCode.BAD_ANSWER, false, why);
      }
    }

    private void failed(String found) {
      report.completeExceptionally(
          Refusal.of(Reason.TEST_FAILED, "expected the agent's report, found " + found));
    }
  }
}
