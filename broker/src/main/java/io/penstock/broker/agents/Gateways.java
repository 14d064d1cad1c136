package io.penstock.broker.agents;

import io.penstock.broker.access.AccessTokens;
import io.penstock.broker.access.AccessTokens.Claims;
import io.penstock.broker.agents.GatewayStandings.Standing;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.GatewayProofTable;
import io.penstock.broker.store.GatewayProofTable.Use;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.VerifyingKey;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/// Agents without a tunnel: how they are enrolled, get tokens, and are recognised with every
/// request (`docs/gateways.md`). Blocks like every transaction.
public final class Gateways {
  /// Where assertions are for, and proofs of renewals.
  public static final String TOKEN_PATH = "/api/v1/gateways/token";

  /// How long tokens may be renewed without a new assertion.
  private static final Duration RENEWABLE = Duration.ofHours(24);

  /// Of one gateway, within the two minutes that they are believed.
  private static final int MAX_PROOFS = 1_200;

  private static final int SLOT = 0;
  private static final String PENDING = "pending";

  private final Database database;
  private final GatewayEnrollment enrollment;
  private final GatewayStandings standings;
  private final AccessTokens tokens;
  private final GatewayProofTable proofs = new GatewayProofTable();
  private final EpochTable epochs = new EpochTable();
  private final Presence presence;
  private final Ledger ledger;
  private final Tampering tampering;
  private final Failures failures;
  private final Settings settings;
  private final Clock clock;

  /// @param brokerUrl what gateways reach the broker by, and mean by their signatures
  public record Settings(String brokerUrl, boolean plainBearer, Duration tokenTtl) {}

  Gateways(
      Database database,
      GatewayEnrollment enrollment,
      GatewayStandings standings,
      AccessTokens tokens,
      Presence presence,
      Ledger ledger,
      Tampering tampering,
      Settings settings,
      Clock clock) {
    this.database = database;
    this.enrollment = enrollment;
    this.standings = standings;
    this.tokens = tokens;
    this.presence = presence;
    this.ledger = ledger;
    this.tampering = tampering;
    this.failures = new Failures(clock);
    this.settings = settings;
    this.clock = clock;
  }

  // Enrollment.

  /// What a gateway hears that was enrolled and waits for an operator.
  ///
  /// @param challenge opens with its sealing key
  /// @param confirmation shows that the broker knows the token's secret
  public record Pending(
      String gateway, long generation, String fingerprint, byte[] challenge, byte[] confirmation) {}

  /// Empty: denied.
  public Optional<Pending> enroll(GatewayClaim claim) {
    return enrollment
        .enroll(claim)
        .map(
            pending ->
                new Pending(
                    pending.keys().agent(),
                    pending.keys().generation(),
                    pending.keys().identity().fingerprint(),
                    pending.challenge(),
                    pending.confirmation()));
  }

  /// @param opened what the challenge held
  public boolean prove(String gateway, byte[] opened, InetAddress remote) {
    return enrollment.prove(gateway, opened, remote);
  }

  // Tokens.

  /// How asking for a token, or showing one, ended.
  public sealed interface Outcome<T> {
    record Granted<T>(T value) implements Outcome<T> {}

    /// To whoever has not shown an enrolled key: nothing more is said.
    record Refused<T>() implements Outcome<T> {}

    /// To whoever has.
    ///
    /// @param state `pending`, `rejected`, `revoked`, …
    record NotApproved<T>(String state) implements Outcome<T> {}

    record Limited<T>(int seconds) implements Outcome<T> {}
  }

  /// @param token a secret
  public record Issued(String gateway, String token, Binding binding, Instant expiresAt) {
    @Override
    public String toString() {
      return "Issued[" + gateway + ", secret]";
    }
  }

  /// A token for whoever signed `assertion` with an enrolled key.
  public Outcome<Issued> token(String gateway, String assertion, InetAddress remote) {
    Instant now = clock.instant();
    Optional<SignedProof> read =
        SignedProof.assertion(assertion, gateway, settings.brokerUrl() + TOKEN_PATH, now);
    if (read.isEmpty()) {
      return refused(gateway, remote, "bad-assertion");
    }
    SignedProof proof = read.get();
    return judged(
        gateway,
        remote,
        tx ->
            asked(
                tx,
                standings.of(tx, gateway, (_, key) -> proof.isSignedBy(key), remote),
                proof,
                remote));
  }

  private Verdict<Issued> asked(Tx tx, Standing standing, SignedProof proof, InetAddress remote) {
    return switch (standing) {
      case Standing.Unknown() -> new Verdict.Refused<>("unknown-key");
      case Standing.Waiting(AgentKeys keys) ->
          this.<Issued>misused(tx, keys, proof).orElseGet(() -> new Verdict.Not<>(PENDING));
      case Standing.Out(AgentKeys keys, String state) ->
          this.<Issued>misused(tx, keys, proof).orElseGet(() -> new Verdict.Not<>(state));
      case Standing.Known known ->
          this.<Issued>misused(tx, known.keys(), proof)
              .orElseGet(
                  () ->
                      new Verdict.Granted<>(
                          issue(tx, "gateway.token", known, clock.instant(), remote)));
    };
  }

  /// A new token for an old one that is not over, and was asked for within a day.
  public Outcome<Issued> renew(Shown shown) {
    Optional<Claims.OfGateway> claims = claims(shown.token());
    if (claims.isEmpty()) {
      return refused("", shown.remote(), "invalid-token");
    }
    Instant authenticated = claims.get().authenticated();
    if (!clock.instant().isBefore(authenticated.plus(RENEWABLE))) {
      return refused(claims.get().gateway(), shown.remote(), "too-old-to-renew");
    }
    return admitted(
        shown,
        claims.get(),
        (tx, known) -> issue(tx, "gateway.token-renew", known, authenticated, shown.remote()));
  }

  private Issued issue(
      Tx tx, String type, Standing.Known known, Instant authenticated, InetAddress remote) {
    AgentKeys keys = known.keys();
    Instant expires = clock.instant().plus(settings.tokenTtl()).truncatedTo(ChronoUnit.SECONDS);
    UUID id = UUID.randomUUID();
    var what = new LinkedHashMap<String, Object>();
    what.put("token_id", id.toString());
    what.put("generation", Long.toString(keys.generation()));
    what.put("binding", known.binding().text());
    what.put("expires_at", expires.toString());
    ledger.audit(tx, Ledger.Entry.of(type, keys.agent()).from(remote.getHostAddress()).with(what));
    Optional<String> thumbprint =
        known.binding() == Binding.KEY
            ? Optional.of(SignedProof.thumbprint(known.signed().signingPublic()))
            : Optional.empty();
    String token =
        tokens.forGateway(keys.agent(), keys.generation(), thumbprint, authenticated, id, expires);
    return new Issued(keys.agent(), token, known.binding(), expires);
  }

  // Requests.

  /// A request as it came.
  ///
  /// @param token a secret
  /// @param proof beside it; empty = none
  /// @param method and the path, which the proof is for
  public record Shown(
      String token, Optional<String> proof, String method, String path, InetAddress remote) {
    @Override
    public String toString() {
      return "Shown[" + method + " " + path + ", secret]";
    }
  }

  /// Who sent a request.
  public record Admitted(
      String gateway,
      long generation,
      AgentRecord signed,
      Binding binding,
      InetAddress remote,
      Instant tokenExpiresAt) {
    public VerifyingKey signingKey() {
      return signed.signingPublic();
    }
  }

  /// @param gateway whose request it is, by its path
  public Outcome<Admitted> admit(String gateway, Shown shown) {
    Optional<Claims.OfGateway> claims = claims(shown.token());
    if (claims.isEmpty()) {
      return refused(gateway, shown.remote(), "invalid-token");
    }
    if (!claims.get().gateway().equals(gateway)) {
      return refused(gateway, shown.remote(), "token-of-another-gateway");
    }
    return admitted(
        shown,
        claims.get(),
        (_, known) ->
            new Admitted(
                gateway,
                known.keys().generation(),
                known.signed(),
                known.binding(),
                shown.remote(),
                claims.get().expiresAt()));
  }

  private Optional<Claims.OfGateway> claims(String token) {
    return tokens
        .verify(token)
        .filter(Claims.OfGateway.class::isInstance)
        .map(Claims.OfGateway.class::cast);
  }

  private interface Grant<T> {
    T of(Tx tx, Standing.Known known);
  }

  private <T> Outcome<T> admitted(Shown shown, Claims.OfGateway claims, Grant<T> grant) {
    String gateway = claims.gateway();
    Optional<SignedProof> proof =
        shown
            .proof()
            .flatMap(
                text ->
                    SignedProof.ofRequest(
                        text,
                        shown.method(),
                        settings.brokerUrl() + shown.path(),
                        shown.token(),
                        clock.instant()));
    if (claims.thumbprint().isPresent() && proof.isEmpty()) {
      return refused(gateway, shown.remote(), "no-proof-of-this-request");
    }
    return judged(
        gateway,
        shown.remote(),
        tx ->
            shown(
                tx,
                standings.of(
                    tx,
                    gateway,
                    (generation, key) -> isBound(claims, proof, generation, key),
                    shown.remote()),
                claims,
                proof,
                grant));
  }

  private <T> Verdict<T> shown(
      Tx tx,
      Standing standing,
      Claims.OfGateway claims,
      Optional<SignedProof> proof,
      Grant<T> grant) {
    return switch (standing) {
      case Standing.Unknown() -> new Verdict.Refused<>("unknown-key");
      case Standing.Waiting _ -> new Verdict.Refused<>("not-approved");
      case Standing.Out(AgentKeys _, String state) -> new Verdict.Not<>(state);
      case Standing.Known known -> known(tx, known, claims, proof, grant);
    };
  }

  private <T> Verdict<T> known(
      Tx tx,
      Standing.Known known,
      Claims.OfGateway claims,
      Optional<SignedProof> proof,
      Grant<T> grant) {
    boolean bound = claims.thumbprint().isPresent();
    if (known.keys().generation() != claims.generation()
        || bound != (known.binding() == Binding.KEY)) {
      return new Verdict.Refused<>("token-of-another-generation");
    }
    if (bound) {
      Optional<Verdict<T>> wrong = misused(tx, known.keys(), proof.orElseThrow());
      if (wrong.isPresent()) {
        return wrong.get();
      }
    }
    return new Verdict.Granted<>(grant.of(tx, known));
  }

  /// Whether the request is of the holder of `key`. A plain token names no key: then it is the
  /// generation that decides.
  private static boolean isBound(
      Claims.OfGateway claims, Optional<SignedProof> proof, long generation, VerifyingKey key) {
    if (claims.thumbprint().isEmpty()) {
      return generation == claims.generation();
    }
    return claims.thumbprint().equals(Optional.of(SignedProof.thumbprint(key)))
        && proof.orElseThrow().isSignedBy(key);
  }

  /// Why an assertion or proof does not count any more; empty = this was its first use.
  private <T> Optional<Verdict<T>> misused(Tx tx, AgentKeys keys, SignedProof proof) {
    Use use = proofs.use(tx, keys.agent(), proof.use(), clock.instant(), proof.until(), MAX_PROOFS);
    return switch (use) {
      case FIRST -> Optional.empty();
      case AGAIN -> Optional.of(new Verdict.Refused<>("replayed"));
      case TOO_MANY -> Optional.of(new Verdict.TooMany<>());
    };
  }

  // Judgement: what is found in the transaction, and told after it.

  private sealed interface Verdict<T> {
    record Granted<T>(T value) implements Verdict<T> {}

    record Refused<T>(String why) implements Verdict<T> {}

    record Not<T>(String state) implements Verdict<T> {}

    record TooMany<T>() implements Verdict<T> {}
  }

  private <T> Outcome<T> judged(String gateway, InetAddress remote, Function<Tx, Verdict<T>> work) {
    Verdict<T> verdict;
    try {
      verdict = database.repeatable(work);
    } catch (TamperedException found) {
      tampering.report(found);
      return new Outcome.Refused<>();
    }
    return switch (verdict) {
      case Verdict.Granted<T>(T value) -> {
        failures.succeeded(remote, target(gateway));
        yield new Outcome.Granted<>(value);
      }
      case Verdict.Refused<T>(String why) -> refused(gateway, remote, why);
      case Verdict.Not<T>(String state) -> {
        if (!state.equals(PENDING)) {
          var _ = record(gateway, remote, state);
        }
        yield new Outcome.NotApproved<>(state);
      }
      case Verdict.TooMany<T>() -> new Outcome.Limited<>(1);
    };
  }

  /// The right key is never in the way of a limit: only who fails meets it.
  private <T> Outcome<T> refused(String gateway, InetAddress remote, String why) {
    return record(gateway, remote, why)
        ? new Outcome.Refused<>()
        : new Outcome.Limited<>((int) Failures.FORGET_AFTER.toSeconds());
  }

  /// The first few of a source and name one by one, then none for some minutes.
  ///
  /// @return false: there were too many before
  private boolean record(String gateway, InetAddress remote, String why) {
    if (failures.failed(remote, target(gateway))) {
      return false;
    }
    database.run(
        tx ->
            ledger.audit(
                tx,
                Ledger.Entry.failure(
                    Names.valid(gateway) ? gateway : "unnamed", remote.getHostAddress(), why)));
    return true;
  }

  private static byte[] target(String gateway) {
    return gateway.getBytes(StandardCharsets.UTF_8);
  }

  // Presence.

  /// The number of a gateway's next session, which fences those before.
  public long nextEpoch(Tx tx, String gateway) {
    return epochs.next(tx, gateway, SLOT);
  }

  public long currentEpoch(Tx tx, String gateway) {
    return epochs.current(tx, gateway, SLOT);
  }

  public void opened(LiveSession session) {
    presence.opened(session);
  }

  public void closed(LiveSession session, String reason) {
    presence.closed(session, reason);
  }

  /// Forgets proofs that nobody would believe any more; called every minute.
  public void dropOld() {
    database.run(tx -> proofs.dropExpired(tx, clock.instant()));
  }
}
