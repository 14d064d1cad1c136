package io.penstock.loadtest.fleet;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.EffectiveRules;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.message.ControlMessage.UnlockStored;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SignedTexts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// An ordinary connection (`docs/protocol.md`, section 2), with the rotation of the unlock secret,
/// and receipts for what is deployed. Everything is applied at once; no document is checked, which
/// real agents do.
final class Serving implements Steps {
  private static final EffectiveRules NO_SYSTEMS = new EffectiveRules(List.of());
  private static final int TOMBSTONE_HASH_BYTES = 32;

  /// A broker sends far fewer before it waits for receipts.
  private static final int MAX_HELD = 4_096;

  private final String name;
  private final Identity identity;
  private final Fleet fleet;
  private final CompletableFuture<Void> admitted;
  private final Deque<Held> held = new ArrayDeque<>();
  private Identity.@Nullable Next next;

  private record Held(long sequence, DeliveryMessage message) {}

  Serving(String name, Identity identity, Fleet fleet, CompletableFuture<Void> admitted) {
    this.name = name;
    this.identity = identity;
    this.fleet = fleet;
    this.admitted = admitted;
  }

  @Override
  public String subprotocol() {
    return Protocol.SUBPROTOCOL_CONNECT;
  }

  @Override
  public Handshake handshake(byte[] prologue) {
    return Handshake.initiator(Suite.XXHFS, prologue, identity.dev());
  }

  @Override
  public byte[] hello() {
    return new byte[0];
  }

  /// Without a state digest: nothing is kept that one could be about.
  @Override
  @SuppressWarnings("NullAway") // does not see in a class file that the array may be null
  public ControlMessage request(byte[] hash) {
    return new ConnectRequest(
        name,
        identity.generation(),
        identity.unlockEpoch(),
        0,
        identity.bootId(),
        "simulated",
        List.of(),
        null,
        null);
  }

  @Override
  public void control(Tunnel tunnel, ControlMessage message, byte[] hash) throws FleetException {
    switch (message) {
      case Welcome welcome ->
          tunnel.send(
              new Ready(identity.signing().sign(SignedTexts.ready(hash, welcome.sessionId()))));
      case Admitted it -> {
        if (it.rotateUnlock()) {
          rotate(tunnel);
        }
        tunnel.send(fleet.system().map(EchoSystem::rules).orElse(NO_SYSTEMS));
        fleet.counters().admitted.increment();
        admitted.complete(null);
      }
      case UnlockStored stored -> stored(tunnel, stored);
      case ControlMessage.Head _ -> {
        // Nothing is kept that a head could list.
      }
      case ControlMessage.OwnerKeys _ -> {
        // The next handshake shows them, too, and that is checked.
      }
      case ControlMessage.Revoked _ -> throw FleetException.revoked();
      default -> throw new FleetException("expected no " + message.getClass().getSimpleName());
    }
  }

  private void rotate(Tunnel tunnel) {
    Identity.Next made = identity.next();
    next = made;
    tunnel.send(
        new UnlockNext(made.unlockEpoch(), made.dev().publicKey().bytes(), made.bundle().clone()));
  }

  private void stored(Tunnel tunnel, UnlockStored stored) throws FleetException {
    Identity.Next made = next;
    if (made == null || stored.unlockEpoch() != made.unlockEpoch()) {
      throw new FleetException(
          "expected no UNLOCK_STORED of epoch " + stored.unlockEpoch() + ", found one");
    }
    next = null;
    identity.switchTo(made);
    tunnel.send(new UnlockCommit(made.unlockEpoch()));
  }

  @Override
  public void message(Tunnel tunnel, long sequence, byte[] body)
      throws ProtocolException, FleetException {
    fleet.counters().messages.increment();
    Optional<DeliveryMessage> message = Messages.decodeDelivery(body);
    if (message.isEmpty()) {
      tunnel.receipt(sequence, DeliveryReceipt.result(DeliveryReceipt.UNKNOWN));
      return;
    }
    if (held.size() == MAX_HELD) {
      throw new FleetException("expected at most " + MAX_HELD + " unanswered messages");
    }
    held.add(new Held(sequence, message.get()));
    if (held.size() == 1 && !fleet.holdsAnswers()) {
      // After whatever else has arrived by now: receipts of one moment are signed together.
      tunnel.later(() -> release(tunnel));
    }
  }

  @Override
  public StreamListener open(MuxStream stream, ByteBuf head) throws ProtocolException {
    Optional<EchoSystem> system = fleet.system();
    return system.isPresent()
        ? system.get().open(stream, head)
        : EchoSystem.refuse(stream, ErrorCode.UNKNOWN_TARGET, "this agent has no systems");
  }

  @Override
  public void release(Tunnel tunnel) {
    try {
      while (!held.isEmpty()) {
        answer(tunnel);
      }
    } catch (FleetException unsupported) {
      tunnel.fail(unsupported);
    }
  }

  /// One RECEIPT: of an instruction, or of as many configurations as it can hold.
  private void answer(Tunnel tunnel) throws FleetException {
    var receipts = new ArrayList<Receipt>();
    var sequences = new ArrayList<Long>();
    long now = System.currentTimeMillis() / 1_000;
    while (!held.isEmpty() && receipts.size() < Receipt.MAX_TOGETHER) {
      Held next = held.element();
      if (next.message() instanceof DeliveryMessage.Instruction) {
        break;
      }
      receipts.add(applied(next.message(), now));
      sequences.add(held.remove().sequence());
    }
    if (receipts.isEmpty()) {
      tunnel.receipt(held.remove().sequence(), DeliveryReceipt.result("done"));
      fleet.counters().receipts.increment();
      return;
    }
    String signed = Receipt.sign(receipts, identity.signing());
    tunnel.receipt(
        sequences.getLast(),
        receipts.size() == 1 ? DeliveryReceipt.of(signed) : DeliveryReceipt.of(signed, sequences));
    fleet.counters().receipts.add(receipts.size());
  }

  private Receipt applied(DeliveryMessage message, long now) throws FleetException {
    return switch (message) {
      case DeliveryMessage.Configuration it -> applied(it.system(), it.version(), hash(it), now);
      case DeliveryMessage.Head it ->
          applied(it.system(), it.version(), Octets.of(new byte[TOMBSTONE_HASH_BYTES]), now);
      case DeliveryMessage.Instruction it ->
          throw new IllegalArgumentException("no receipt is due for " + it.kind());
    };
  }

  private static Octets hash(DeliveryMessage.Configuration configuration) throws FleetException {
    ConfigurationDocument document = configuration.document();
    if (document == null) {
      throw new FleetException(
          configuration.system()
              + ": simulated agents do not fetch documents, expected one of at most "
              + DeliveryMessage.MAX_BODY_BYTES
              + " bytes");
    }
    return Octets.sha256(document.header().getBytes(StandardCharsets.US_ASCII));
  }

  private Receipt applied(String system, long version, Octets headerSha256, long now) {
    return new Receipt(
        name, identity.generation(), system, version, headerSha256, new Receipt.Applied(), now);
  }

  @Override
  public void ended(FleetException why) {
    held.clear();
    admitted.completeExceptionally(why);
  }
}
