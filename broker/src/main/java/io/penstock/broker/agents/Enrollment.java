package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.agents.WaitingRoom.Seat;
import io.penstock.broker.keys.Revocations;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.Custody;
import io.penstock.broker.store.AgentKeys.Identity;
import io.penstock.broker.store.AgentKeys.Origin;
import io.penstock.broker.store.AgentKeys.Place;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EnrollmentTokenTable;
import io.penstock.broker.store.EnrollmentTokenTable.Token;
import io.penstock.broker.store.EnrollmentTokenTable.Use;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.TunnelAuthority.EnrollmentAttempt;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Message 3 of an enrollment: who holds the token's secret becomes a pending agent, once
/// (`docs/protocol.md`, section 2; design: enrollment).
///
/// The token is consumed in the same transaction that writes the pending keys, audit and outbox.
/// The
/// same dev key may come again with the same token (a crash, a lost answer) as long as it pends:
/// its
/// keys, bundle and fingerprint are replaced.
final class Enrollment {
  static final Duration PENDING_LIFE = Duration.ofHours(24);
  private static final String METHOD = "token";

  private final Database database;
  private final Identities identities;
  private final EnrollmentTokenTable tokens;
  private final TokenDoor door;
  private final Bundles bundles;
  private final Revocations revocations;
  private final WaitingRoom room;
  private final Ledger ledger;
  private final Clock clock;

  Enrollment(
      Database database,
      Identities identities,
      EnrollmentTokenTable tokens,
      TokenDoor door,
      Bundles bundles,
      Revocations revocations,
      WaitingRoom room,
      Ledger ledger,
      Clock clock) {
    this.database = database;
    this.identities = identities;
    this.tokens = tokens;
    this.door = door;
    this.bundles = bundles;
    this.revocations = revocations;
    this.room = room;
    this.ledger = ledger;
    this.clock = clock;
  }

  sealed interface Outcome {
    record Enrolled(AgentKeys keys) implements Outcome {}

    record Denied(Denial why) implements Outcome {}
  }

  /// One transaction; a denial is recorded in it as well.
  Outcome register(EnrollmentAttempt attempt) {
    Octets id = Octets.of(attempt.hello().tokenId());
    Outcome outcome =
        database.transaction(
            tx -> {
              Outcome decided = decide(tx, id, attempt);
              switch (decided) {
                case Outcome.Enrolled(AgentKeys keys) -> recordEnrolled(tx, keys);
                case Outcome.Denied(Denial why) -> recordDenied(tx, id, attempt, why);
              }
              return decided;
            });
    door.succeeded(attempt.hello(), attempt.remote());
    return outcome;
  }

  private Outcome decide(Tx tx, Octets id, EnrollmentAttempt attempt) {
    Optional<Denial> malformed = malformed(attempt);
    if (malformed.isPresent()) {
      return new Outcome.Denied(malformed.get());
    }
    // The row is judged again under its lock: much can happen between message 1 and message 3.
    return switch (door.judge(tx, tokens.lock(tx, id), attempt.remote())) {
      case TokenDoor.Verdict.Refused(Denial why) -> new Outcome.Denied(why);
      case TokenDoor.Verdict.Usable(Token token) ->
          token.use().isPresent()
              ? again(tx, token, token.use().get(), attempt)
              : first(tx, token, attempt);
    };
  }

  private static Optional<Denial> malformed(EnrollmentAttempt attempt) {
    EnrollRequest request = attempt.request();
    if (request.sealingKey().length != Hpke.PUBLIC_KEY_BYTES) {
      return Optional.of(Denial.BAD_KEY);
    }
    boolean signed =
        VerifyingKey.of(request.signingKey()).verify(signedText(attempt), request.signature());
    return signed ? Optional.empty() : Optional.of(Denial.BAD_SIGNATURE);
  }

  private static byte[] signedText(EnrollmentAttempt attempt) {
    EnrollRequest request = attempt.request();
    return SignedTexts.enroll(
        attempt.hashBefore(),
        attempt.dev().bytes(),
        request.sealingKey(),
        request.signingKey(),
        request.innerBundle());
  }

  /// The token was used before: by this very dev key, or by somebody else.
  private Outcome again(Tx tx, Token token, Use by, EnrollmentAttempt attempt) {
    if (!by.devKey().equals(dev(attempt))) {
      return new Outcome.Denied(Denial.TOKEN_REUSED);
    }
    identities.lock(tx, by.agent());
    Optional<AgentKeys> pending =
        identities
            .pending(tx, by.agent())
            .filter(keys -> keys.origin().tokenId().equals(Optional.of(token.id())));
    if (pending.isEmpty()) {
      return new Outcome.Denied(Denial.TOKEN_USED);
    }
    AgentKeys replaced =
        keys(by.agent(), pending.get().generation(), pending.get().place(), token, attempt);
    identities.update(tx, replaced);
    return new Outcome.Enrolled(replaced);
  }

  private Outcome first(Tx tx, Token token, EnrollmentAttempt attempt) {
    String name = token.agent().orElse(attempt.request().name());
    if (!Names.valid(name)) {
      return new Outcome.Denied(Denial.BAD_NAME);
    }
    if (revocations.isRevoked(name)) {
      return new Outcome.Denied(Denial.NAME_REVOKED);
    }
    if (identities.unchecked().devKeyKnown(tx, dev(attempt))) {
      return new Outcome.Denied(Denial.KEY_ALREADY_KNOWN);
    }
    AgentStanding fresh = fresh(name, token);
    if (identities.insert(tx, fresh)) {
      return enrolled(tx, fresh, 1, token, attempt);
    }
    AgentStanding agent = identities.lock(tx, name).orElseThrow();
    return known(tx, agent, token, attempt);
  }

  /// A name that exists: only `reenroll` lets it be enrolled anew, and never once revoked.
  private Outcome known(Tx tx, AgentStanding agent, Token token, EnrollmentAttempt attempt) {
    return switch (agent.state()) {
      case REVOKED -> new Outcome.Denied(Denial.NAME_REVOKED);
      case REJECTED -> beside(tx, agent.with(AgentState.PENDING), token, attempt);
      case PENDING, APPROVED, QUARANTINED ->
          token.reenroll()
              ? beside(tx, agent, token, attempt)
              : new Outcome.Denied(Denial.NAME_TAKEN);
    };
  }

  /// Waits beside what is there; an older enrollment that still waits gives way.
  private Outcome beside(Tx tx, AgentStanding agent, Token token, EnrollmentAttempt attempt) {
    List<AgentKeys> generations = identities.generations(tx, agent.name());
    generations.stream()
        .filter(keys -> keys.state() == GenerationState.PENDING)
        .forEach(older -> giveWay(tx, older));
    identities.update(tx, agent);
    long newest = generations.isEmpty() ? 0 : generations.getFirst().generation();
    return enrolled(tx, agent, newest + 1, token, attempt);
  }

  private void giveWay(Tx tx, AgentKeys older) {
    identities.update(tx, older.with(GenerationState.ENDED).with(older.custody().emptied()));
    tx.afterCommit(
        () -> room.decided(new Seat(older.agent(), older.generation()), WaitingRoom.Outcome.GONE));
  }

  private Outcome enrolled(
      Tx tx, AgentStanding agent, long generation, Token token, EnrollmentAttempt attempt) {
    var place =
        new Place(
            token.site().orElse(agent.site()),
            token.labels().isEmpty() ? agent.labels() : token.labels(),
            token.allowedCidrs());
    AgentKeys keys = keys(agent.name(), generation, place, token, attempt);
    identities.insert(tx, keys);
    tokens.spend(
        tx,
        token.id(),
        new Use(now(), agent.name(), dev(attempt), Optional.of(attempt.remote().getHostAddress())));
    return new Outcome.Enrolled(keys);
  }

  /// An agent without a site is its own.
  private AgentStanding fresh(String name, Token token) {
    return new AgentStanding(
        name,
        token.site().orElse(name),
        token.labels(),
        AgentState.PENDING,
        0,
        now(),
        Optional.empty(),
        Optional.empty(),
        Octets.of(new byte[0]));
  }

  private AgentKeys keys(
      String agent, long generation, Place place, Token token, EnrollmentAttempt attempt) {
    EnrollRequest request = attempt.request();
    Instant now = now();
    var identity =
        new Identity(
            Octets.of(request.sealingKey()),
            Octets.of(request.signingKey()),
            Fingerprint.of(attempt.hash()).text(),
            Optional.empty());
    var origin =
        new Origin(
            method(request, attempt.dev()),
            Optional.of(token.id()),
            now,
            attempt.remote().getHostAddress(),
            Octets.of(request.bootId()),
            Names.facts(request.host()));
    return new AgentKeys(
        agent,
        generation,
        GenerationState.PENDING,
        Custody.first(bundles.wrap(agent, generation, attempt.dev(), request.innerBundle())),
        identity,
        place,
        origin,
        Optional.empty(),
        now.plus(PENDING_LIFE),
        Octets.of(new byte[0]));
  }

  /// What binds a gateway without a tunnel shows in the key that stands for its tunnel.
  private static String method(EnrollRequest request, PublicKey dev) {
    return GatewayTexts.bindingOf(Octets.of(request.signingKey()), Octets.of(dev.bytes()))
        .map(GatewayTexts.Binding::method)
        .orElse(METHOD);
  }

  /// The agent has opened what was sealed to its key.
  boolean proven(AgentKeys enrolled) {
    return database.transaction(
        tx -> {
          identities.lock(tx, enrolled.agent());
          Optional<AgentKeys> pending =
              identities
                  .pending(tx, enrolled.agent())
                  .filter(keys -> sameEnrollment(keys, enrolled));
          pending.ifPresent(
              keys -> identities.update(tx, keys.with(keys.identity().provenAt(now()))));
          return pending.isPresent();
        });
  }

  private static boolean sameEnrollment(AgentKeys keys, AgentKeys other) {
    return keys.generation() == other.generation()
        && keys.identity().fingerprint().equals(other.identity().fingerprint())
        && keys.identity().sealingPublic().equals(other.identity().sealingPublic());
  }

  void proofFailed(AgentKeys enrolled, String from) {
    database.run(
        tx ->
            ledger.audit(
                tx, Ledger.Entry.failure(enrolled.agent(), from, Denial.PROOF_FAILED.text())));
  }

  private void recordEnrolled(Tx tx, AgentKeys keys) {
    ledger.audit(
        tx,
        Ledger.Entry.of("gateway.enroll", keys.agent())
            .from(keys.origin().from())
            .with(
                Map.of(
                    "generation", Long.toString(keys.generation()),
                    "method", keys.origin().method(),
                    "token_id", keys.origin().tokenId().map(Octets::hex).orElse(""),
                    "site", keys.place().site(),
                    "fingerprint", keys.identity().fingerprint())));
  }

  private void recordDenied(Tx tx, Octets id, EnrollmentAttempt attempt, Denial why) {
    door.refuse(tx, id, attempt.remote(), why);
    if (why == Denial.TOKEN_REUSED) {
      ledger.alarm(
          tx,
          Alarm.TOKEN_REUSED,
          id.hex(),
          "a second agent came with an enrollment token that was used already",
          Optional.of(attempt.remote().getHostAddress()));
    }
  }

  private static Octets dev(EnrollmentAttempt attempt) {
    return Octets.of(attempt.dev().bytes());
  }

  /// As exact as Postgres keeps it.
  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
