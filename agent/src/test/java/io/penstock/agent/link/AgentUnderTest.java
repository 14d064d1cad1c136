package io.penstock.agent.link;

import io.netty.buffer.ByteBuf;
import io.penstock.agent.identity.BootId;
import io.penstock.agent.identity.DataDirectory;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.UnlockSeal;
import io.penstock.agent.mock.MockBroker;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.seal.EnrollmentToken;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/// The identity and link of one agent process, on a directory, with everything it says recorded.
/// Streams of the broker wait in `opened` for the test to answer.
final class AgentUnderTest implements AutoCloseable, LinkListener, StreamTarget {
  private final DataDirectory data;
  private final Identity identity;
  private final Loop loop = Loop.start();
  private final Link link;
  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
  private final List<LinkFailure> failures = new CopyOnWriteArrayList<>();
  private final BlockingQueue<MuxStream> opened = new LinkedBlockingQueue<>();
  private final CompletableFuture<Failpoint> crashed = new CompletableFuture<>();

  /// How a process is started.
  ///
  /// @param crashAt empty = nowhere
  record Start(
      Path directory,
      Optional<EnrollmentToken> token,
      List<BrokerAddress> brokers,
      List<Path> caFiles,
      Optional<ProxySettings> proxy,
      Optional<Failpoint> crashAt,
      Dialer.Deadlines deadlines) {

    static Start with(Path directory, EnrollmentToken token) {
      return new Start(
          directory,
          Optional.of(token),
          List.of(),
          List.of(),
          Optional.empty(),
          Optional.empty(),
          Dialer.Deadlines.DEFAULT);
    }

    static Start again(Path directory) {
      return new Start(
          directory,
          Optional.empty(),
          List.of(),
          List.of(),
          Optional.empty(),
          Optional.empty(),
          Dialer.Deadlines.DEFAULT);
    }

    Start crashingAt(Failpoint failpoint) {
      return new Start(
          directory, token, brokers, caFiles, proxy, Optional.of(failpoint), deadlines);
    }

    Start at(BrokerAddress... addresses) {
      return new Start(directory, token, List.of(addresses), caFiles, proxy, crashAt, deadlines);
    }

    Start through(ProxySettings settings) {
      return new Start(
          directory, token, brokers, caFiles, Optional.of(settings), crashAt, deadlines);
    }

    Start trusting(Path caFile) {
      return new Start(directory, token, brokers, List.of(caFile), proxy, crashAt, deadlines);
    }

    /// Only for what is about a deadline: a busy machine lets every other stage take its time.
    Start within(Dialer.Deadlines other) {
      return new Start(directory, token, brokers, caFiles, proxy, crashAt, other);
    }
  }

  /// As `kill -9`: the thread stops here, for good.
  private static final class Crash extends Error {
    Crash(Failpoint at) {
      super(at.text(), null, false, false);
    }
  }

  AgentUnderTest(Start start) throws Exception {
    data = DataDirectory.open(start.directory());
    var random = new SecureRandom();
    var source = new UnlockSeal.Source.None();
    Optional<Identity> existing = Identity.load(data, source, random);
    identity =
        existing.isPresent()
            ? existing.get()
            : Identity.create(data, source, start.token().orElseThrow(), false, random);
    link =
        Link.of(
            new Link.Settings(
                start.brokers(),
                start.proxy(),
                Optional.empty(),
                BootId.random(random),
                "test",
                MockBroker.AGENT,
                new HostFacts("host", "os", "test")),
            loop,
            TrustedTls.of(start.caFiles()),
            identity,
            start.token(),
            this,
            ConfigurationTarget.None.INSTANCE,
            this,
            reached -> {
              if (start.crashAt().equals(Optional.of(reached))) {
                loop.close();
                crashed.complete(reached);
                throw new Crash(reached);
              }
            },
            start.deadlines());
    link.start();
  }

  Link link() {
    return link;
  }

  Identity identity() {
    return identity;
  }

  void awaitCrash() throws Exception {
    crashed.get(20, TimeUnit.SECONDS);
  }

  /// What the listener hears, one line each.
  String awaitSaid(Predicate<String> wanted) throws InterruptedException {
    var before = new ArrayList<String>();
    while (true) {
      String line = said.poll(20, TimeUnit.SECONDS);
      if (line == null) {
        throw new AssertionError("never said; before: " + before + ", failures: " + failures);
      }
      if (wanted.test(line)) {
        return line;
      }
      before.add(line);
    }
  }

  String awaitSaid(String beginning) throws InterruptedException {
    return awaitSaid(line -> line.startsWith(beginning));
  }

  MuxStream awaitOpened() throws InterruptedException {
    MuxStream stream = opened.poll(20, TimeUnit.SECONDS);
    if (stream == null) {
      throw new AssertionError("no stream was opened");
    }
    return stream;
  }

  /// Ends an answered stream with a 200.
  void answer(MuxStream stream) {
    loop.eventLoop()
        .execute(
            () -> {
              ByteBuf head = stream.allocator().buffer();
              new AnswerHead(200, 0, 0, new Fields(0)).write(head);
              stream.head(head, true);
            });
  }

  List<LinkFailure> failures() {
    return failures;
  }

  /// As a process that is gone: no goodbye.
  @Override
  public void close() throws IOException {
    link.close();
    loop.close();
    data.close();
  }

  @Override
  public void pending(String agent, String site, String fingerprint) {
    said.add("pending " + agent + " " + fingerprint);
  }

  @Override
  public void approved(String agent) {
    said.add("approved " + agent);
  }

  @Override
  public void admitted(int slot, BrokerAddress broker, long sessionEpoch) {
    said.add("admitted " + slot);
  }

  @Override
  public void failed(int slot, LinkFailure failure, Duration nextTry) {
    failures.add(failure);
    said.add("failed " + slot + " " + failure.stage().text() + ": " + failure.text());
  }

  @Override
  public void draining(int slot, Duration nextTry) {
    said.add("draining " + slot);
  }

  @Override
  public void refusedForGood(ErrorCode code, String text, boolean wiped) {
    said.add("refused " + code + (wiped ? " wiped" : "") + ": " + text);
  }

  @Override
  public StreamListener open(OpenHead head, ByteBuf rest, boolean end, MuxStream stream) {
    opened.add(stream);
    return new StreamListener() {
      @Override
      public void onData(ByteBuf bytes, boolean last) {}

      @Override
      public void onReset(ErrorCode code, boolean untouched, String text) {}
    };
  }

  @Override
  public EffectiveRules effectiveRules() {
    return new EffectiveRules(List.of());
  }
}
