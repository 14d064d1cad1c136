package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The broker's half of giving an approved agent new identity keys (`docs/keys.md`): the keys in
/// force hand on to the next ones by a signature, so nobody has to approve anew.
///
/// Record and bundle change in one transaction, so an agent that dies at any step comes back with
/// the keys of before or after, whichever its next WELCOME brings. Sessions that stand keep the key
/// whose READY admitted them, and are drained: their agent dials anew and cuts no call.
final class IdentityRotation {
  private static final Duration SPREAD = Duration.ofSeconds(2);
  private static final Duration DRAIN_WITHIN = Duration.ofSeconds(60);

  private final Database database;
  private final Identities identities;
  private final SignedRecords records;
  private final EpochTable epochs;
  private final Bundles bundles;
  private final LiveSessions live;
  private final Doorway doorway;
  private final Tampering tampering;
  private final Ledger ledger;

  IdentityRotation(
      Database database,
      Identities identities,
      SignedRecords records,
      EpochTable epochs,
      Bundles bundles,
      LiveSessions live,
      Doorway doorway,
      Tampering tampering,
      Ledger ledger) {
    this.database = database;
    this.identities = identities;
    this.records = records;
    this.epochs = epochs;
    this.bundles = bundles;
    this.live = live;
    this.doorway = doorway;
    this.tampering = tampering;
    this.ledger = ledger;
  }

  /// Why nothing was changed, in the words that the agent hears.
  private enum Refusal {
    OVERTAKEN("another session or decision came between"),
    UNLOCK_ROTATES("the unlock secret is being replaced"),
    BAD_KEY("expected an X-Wing sealing key and an Ed25519 signing key"),
    BAD_SIGNATURE("the signatures do not hold"),
    TAMPERED("changed in the database behind the broker's back"),
    UNAVAILABLE("the broker cannot store it now");

    private final String text;

    Refusal(String text) {
      this.text = text;
    }
  }

  /// Answers on `session`.
  void replace(LiveSession session, IdentityNext next) {
    Optional<Refusal> refusal = refusal(() -> decide(session, next));
    session.send(new IdentityStored(next.signingKey(), text(refusal)));
    if (refusal.isEmpty()) {
      live.of(session.admission().agent()).forEach(each -> each.drain(SPREAD, DRAIN_WITHIN));
    }
  }

  @SuppressWarnings("NullAway") // null is the message's word for "in force"
  private static String text(Optional<Refusal> refusal) {
    return refusal.map(it -> it.text).orElse(null);
  }

  private Optional<Refusal> refusal(Supplier<Optional<Refusal>> decision) {
    try {
      return doorway.through(decision);
    } catch (TamperedException found) {
      tampering.report(found);
      return Optional.of(Refusal.TAMPERED);
    } catch (TunnelRefused _) {
      return Optional.of(Refusal.UNAVAILABLE);
    }
  }

  private Optional<Refusal> decide(LiveSession session, IdentityNext next) {
    if (!isUsable(next)) {
      return Optional.of(Refusal.BAD_KEY);
    }
    if (!isSigned(session.admission(), next)) {
      mismatch(session);
      return Optional.of(Refusal.BAD_SIGNATURE);
    }
    return database.transaction(tx -> store(tx, session.admission(), next));
  }

  private static boolean isUsable(IdentityNext next) {
    return next.sealingKey().length == Hpke.PUBLIC_KEY_BYTES;
  }

  private static boolean isSigned(Admission admission, IdentityNext next) {
    byte[] text =
        SignedTexts.identityNext(
            admission.handshakeHash().bytes(),
            next.sealingKey(),
            next.signingKey(),
            next.innerBundle());
    try {
      return admission.signingKey().verify(text, next.signature())
          && new VerifyingKey(Octets.of(next.signingKey())).verify(text, next.nextSignature());
    } catch (SealException _) {
      // 32 bytes that are no key sign nothing.
      return false;
    }
  }

  private void mismatch(LiveSession session) {
    String agent = session.admission().agent();
    String from = session.remote().getHostAddress();
    String what = "new identity keys without the signature of the keys in force";
    database.run(
        tx -> {
          ledger.audit(tx, Ledger.Entry.failure(agent, from, what));
          ledger.alarm(tx, Alarm.IDENTITY_MISMATCH, agent, what, Optional.of(from));
        });
  }

  private Optional<Refusal> store(Tx tx, Admission admission, IdentityNext next) {
    Optional<AgentKeys> held = held(tx, admission);
    if (held.isEmpty()) {
      return Optional.of(Refusal.OVERTAKEN);
    }
    AgentKeys keys = held.get();
    if (keys.custody().next().isPresent() || keys.custody().unlockEpoch() != next.unlockEpoch()) {
      return Optional.of(Refusal.UNLOCK_ROTATES);
    }
    AgentKeys rekeyed =
        records.rekeyed(keys, Octets.of(next.sealingKey()), Octets.of(next.signingKey()));
    identities.update(tx, rekeyed.with(keys.custody().rewrapped(wrapped(keys, next))));
    ledger.audit(
        tx,
        Ledger.Entry.of("gateway.rotate-identity", keys.agent())
            .with(
                Map.of(
                    "sealing_key_sha256",
                    Map.of(
                        "old", Octets.sha256(keys.identity().sealingPublic().bytes()).hex(),
                        "new", Octets.sha256(next.sealingKey()).hex()))));
    return Optional.empty();
  }

  private Octets wrapped(AgentKeys keys, IdentityNext next) {
    var dev = new PublicKey(keys.custody().current().dev().bytes());
    return bundles
        .wrap(keys.agent(), keys.generation(), dev, next.innerBundle())
        .wrappedBundle()
        .orElseThrow();
  }

  /// The generation, as long as its session is the newest of its slot and its key is in force.
  private Optional<AgentKeys> held(Tx tx, Admission admission) {
    return identities
        .lock(tx, admission.agent())
        .filter(standing -> standing.state() == AgentState.APPROVED)
        .filter(standing -> standing.generation() == admission.generation())
        .filter(
            _ ->
                epochs.current(tx, admission.agent(), admission.slot()) == admission.sessionEpoch())
        .flatMap(standing -> identities.approved(tx, standing))
        .filter(keys -> keys.identity().signingPublic().equals(admission.signingKey().octets()));
  }
}
