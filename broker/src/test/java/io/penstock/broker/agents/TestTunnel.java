package io.penstock.broker.agents;

import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.message.ControlMessage.UnlockStored;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SignedTexts;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// One connection of a [TestAgent], after its handshake: the steps an agent takes, one method each.
final class TestTunnel {
  private final TestAgent agent;
  private final FakeChannel channel;
  private final byte[] hash;
  private final CompletableFuture<Optional<TunnelRefused>> outcome;

  /// The broker's side of the conversation.
  interface Talk {
    void run() throws TunnelRefused;
  }

  private TestTunnel(
      TestAgent agent,
      FakeChannel channel,
      byte[] hash,
      CompletableFuture<Optional<TunnelRefused>> outcome) {
    this.agent = agent;
    this.channel = channel;
    this.hash = hash;
    this.outcome = outcome;
  }

  static TestTunnel handshakeFailed(TestAgent agent, FakeChannel channel) {
    return new TestTunnel(
        agent,
        channel,
        new byte[32],
        CompletableFuture.completedFuture(Optional.of(Denial.answer())));
  }

  static TestTunnel run(TestAgent agent, FakeChannel channel, byte[] hash, Talk talk) {
    var outcome = new CompletableFuture<Optional<TunnelRefused>>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                talk.run();
                outcome.complete(Optional.empty());
              } catch (TunnelRefused refused) {
                channel.hangUp();
                outcome.complete(Optional.of(refused));
              } catch (RuntimeException | Error bug) {
                outcome.completeExceptionally(bug);
              }
            });
    return new TestTunnel(agent, channel, hash, outcome);
  }

  FakeChannel channel() {
    return channel;
  }

  String fingerprint() {
    return Fingerprint.of(hash).text();
  }

  /// Whether the broker went on to the proof; false when it refused.
  boolean isProofAsked() {
    while (!outcome.isDone()) {
      if (channel.sentAlready().isPresent()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return channel.sentAlready().isPresent();
  }

  void prove() {
    ProofChallenge challenge = expect(ProofChallenge.class);
    byte[] opened = Hpke.open(agent.sealing, SignedTexts.proofInfo(), challenge.sealed());
    channel.play(new ProofAnswer(opened));
  }

  Pending pending() {
    return expect(Pending.class);
  }

  int approvedGeneration() {
    return expect(Approved.class).generation();
  }

  Welcome welcome() {
    return expect(Welcome.class);
  }

  void ready(Welcome welcome) {
    byte[] text = SignedTexts.ready(hash, welcome.sessionId());
    channel.play(new Ready(agent.signing.sign(text)));
  }

  Admitted admitted() {
    ready(welcome());
    return expect(Admitted.class);
  }

  /// The agent writes next beside current, then tells the broker.
  UnlockNext unlockNext() {
    StaticKeyPair next = StaticKeyPair.generate();
    agent.disk.next = next;
    agent.disk.nextBundle = TestAgent.random(300);
    var message =
        new UnlockNext(agent.disk.unlockEpoch + 1, next.publicKey().bytes(), agent.disk.nextBundle);
    channel.play(message);
    return message;
  }

  void unlockStored() {
    expect(UnlockStored.class);
  }

  /// The agent's file, switched and synced.
  void switchFile() {
    TestAgent.Disk disk = agent.disk;
    disk.current = java.util.Objects.requireNonNull(disk.next);
    disk.currentBundle = disk.nextBundle;
    disk.next = null;
    disk.unlockEpoch++;
  }

  void unlockCommit() {
    channel.play(new UnlockCommit(agent.disk.unlockEpoch));
  }

  void rotate() {
    unlockNext();
    unlockStored();
    switchFile();
    unlockCommit();
  }

  /// The whole way to a session that carries streams.
  FakeSession serve() {
    if (admitted().rotateUnlock()) {
      rotate();
    }
    refusal()
        .ifPresent(
            refused -> {
              throw new AssertionError("refused: " + refused.code(), refused);
            });
    return channel.session().orElseThrow();
  }

  void hangUp() {
    channel.hangUp();
  }

  /// How the broker's side ended; empty when it had nothing left to say.
  Optional<TunnelRefused> refusal() {
    try {
      return outcome.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException bug) {
      throw new AssertionError(bug.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("the broker's side did not end", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  ErrorCode refusedWith() {
    return refusal().map(TunnelRefused::code).orElse(ErrorCode.NO_ERROR);
  }

  <M extends ControlMessage> M expect(Class<M> expected) {
    return channel.expect(expected);
  }
}
