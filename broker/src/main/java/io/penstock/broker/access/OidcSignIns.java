package io.penstock.broker.access;

import io.penstock.broker.access.AccessNews.News;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.IdTokens.Checked;
import io.penstock.broker.access.OidcProvider.AwayException;
import io.penstock.broker.access.OidcProvider.Exchange;
import io.penstock.broker.access.SignIns.SignedIn;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.OidcConfig;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.OidcFlowTable;
import io.penstock.broker.store.SessionTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.store.UserTable.OidcIdentity;
import io.penstock.broker.store.UserTable.User;
import io.penstock.codec.seal.Octets;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Signing in by an identity provider: authorization code with PKCE (RFC 7636), OpenID Connect Core
/// 3.1. What follows is an ordinary session, of which the provider is asked nothing more.
///
/// A sign-in belongs to one browser: state, nonce and the PKCE verifier are made from a secret that
/// only its cookie holds, and so is the time that it is over. The database holds a hash of each
/// state that came back: so a way back works once, on whichever broker, nothing that rests here
/// completes it, and who only begins costs nothing. Blocks; thread-safe.
public final class OidcSignIns {
  private static final int SECRET_BYTES = 32;
  private static final Pattern SECRET = Pattern.compile("[A-Za-z0-9_-]{43}\\.(\\d{1,11})");

  /// Of the clocks of brokers that share a database.
  private static final Duration SKEW = Duration.ofMinutes(1);

  private static final int MAX_CODE = 4096;
  private static final int BUSY_SECONDS = 2;
  private static final int AT_ONCE = 16;
  private static final String BY = "oidc";

  private final Database database;
  private final UserTable users;
  private final SessionTable sessions = new SessionTable();
  private final OidcFlowTable flows = new OidcFlowTable();
  private final Audit audit;
  private final SignIns signIns;
  private final RefusalLog refusals;
  private final AccessNews news;
  private final OidcConfig config;
  private final OidcProvider provider;
  private final IdTokens idTokens;
  private final SecureRandom random;
  private final Clock clock;
  private final Attempts failures;
  private final Semaphore atProvider = new Semaphore(AT_ONCE);

  OidcSignIns(
      Vertx vertx,
      Database database,
      UserTable users,
      Audit audit,
      SignIns signIns,
      RefusalLog refusals,
      AccessNews news,
      BrokerConfig.Access limits,
      OidcConfig config,
      String redirectUri,
      SecureRandom random,
      Clock clock) {
    this.database = database;
    this.users = users;
    this.audit = audit;
    this.signIns = signIns;
    this.refusals = refusals;
    this.news = news;
    this.config = config;
    this.random = random;
    this.clock = clock;
    provider = new OidcProvider(vertx, config, redirectUri, clock);
    idTokens = new IdTokens(config, clock);
    failures = new Attempts(limits.loginsPerSource(), limits.loginWindow());
  }

  /// What the link on the sign-in page says.
  public String name() {
    return config.name();
  }

  /// The outcome of wanting to sign in.
  public sealed interface Begin {
    /// @param secret for a cookie of this browser
    record AtProvider(String url, String secret, Duration life) implements Begin {
      @Override
      public String toString() {
        return "AtProvider[secret]";
      }
    }

    record Limited(int retryAfterSeconds) implements Begin {}

    record Busy(int retryAfterSeconds) implements Begin {}

    record ProviderAway(int retryAfterSeconds) implements Begin {}
  }

  /// The outcome of coming back.
  public sealed interface Finish {
    record Granted(SignedIn tokens) implements Finish {}

    record Refused(Why why) implements Finish {}

    record Limited(int retryAfterSeconds) implements Finish {}

    record Busy(int retryAfterSeconds) implements Finish {}

    record ProviderAway(int retryAfterSeconds) implements Finish {}
  }

  /// Why somebody who comes back is not let in.
  public enum Why {
    /// Not begun in this browser, over, or used before.
    STATE,
    /// The provider says no.
    PROVIDER_REFUSED,
    /// What it says does not hold.
    UNTRUSTED,
    NO_ROLE,
    NO_EMAIL,
    EMAIL_TAKEN,
    DISABLED,
    LAST_ADMIN
  }

  /// What a browser came back with.
  ///
  /// @param secret of its cookie
  /// @param issuer the parameter `iss` (RFC 9207); several of them are none of the provider's
  public record WayBack(
      Optional<String> secret,
      Optional<String> state,
      Optional<String> code,
      Optional<String> issuer,
      Optional<String> error) {
    @Override
    public String toString() {
      return "WayBack[secret]";
    }
  }

  /// All that a sign-in needs, from what its browser keeps. With another time it has another state.
  private record Flow(String state, String nonce, String verifier, Instant expires) {
    static Optional<Flow> of(String secret) {
      Matcher parts = SECRET.matcher(secret);
      return parts.matches()
          ? Optional.of(
              new Flow(
                  derived(secret, "state"),
                  derived(secret, "nonce"),
                  derived(secret, "verifier"),
                  Instant.ofEpochSecond(Long.parseLong(parts.group(1)))))
          : Optional.empty();
    }

    private static String derived(String secret, String label) {
      try {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
        return base64(mac.doFinal(("penstock oidc " + label).getBytes(StandardCharsets.US_ASCII)));
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every JDK has HmacSHA256", e);
      }
    }

    Octets stateHash() {
      return Octets.sha256(state.getBytes(StandardCharsets.US_ASCII));
    }

    String challenge() {
      return Octets.sha256(verifier.getBytes(StandardCharsets.US_ASCII)).base64Url();
    }

    @Override
    public String toString() {
      return "Flow[secret]";
    }
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  public Begin begin(Origin origin) {
    String source = Sources.of(origin.ip());
    OptionalInt blocked = failures.blockedSeconds(source);
    if (blocked.isPresent()) {
      return new Begin.Limited(blocked.getAsInt());
    }
    if (!atProvider.tryAcquire()) {
      return new Begin.Busy(BUSY_SECONDS);
    }
    try {
      byte[] drawn = new byte[SECRET_BYTES];
      random.nextBytes(drawn);
      long expires = clock.instant().plus(config.signInWithin()).getEpochSecond();
      String secret = base64(drawn) + "." + expires;
      Flow flow = Flow.of(secret).orElseThrow();
      String url = provider.authorizationUrl(flow.state(), flow.nonce(), flow.challenge());
      return new Begin.AtProvider(url, secret, config.signInWithin());
    } catch (AwayException _) {
      return new Begin.ProviderAway(BUSY_SECONDS);
    } finally {
      atProvider.release();
    }
  }

  public Finish finish(WayBack back, Origin origin) {
    String source = Sources.of(origin.ip());
    OptionalInt blocked = failures.blockedSeconds(source);
    if (blocked.isPresent()) {
      refusals.ofSignIn(failure(origin, "blocked", "too many failed attempts", Map.of()));
      return new Finish.Limited(blocked.getAsInt());
    }
    if (!atProvider.tryAcquire()) {
      return new Finish.Busy(BUSY_SECONDS);
    }
    try {
      Finish outcome = finished(back, origin);
      // Nobody guesses a state, and any page can have a browser come back without one.
      if (outcome instanceof Finish.Refused(Why why) && why != Why.STATE) {
        failures.failed(source);
      }
      return outcome;
    } catch (AwayException _) {
      refusals.ofSignIn(failure(origin, "failure", "oidc_provider_away", Map.of()));
      return new Finish.ProviderAway(BUSY_SECONDS);
    } finally {
      atProvider.release();
    }
  }

  private Finish finished(WayBack back, Origin origin) {
    Optional<Flow> flow =
        back.secret()
            .flatMap(Flow::of)
            .filter(
                made -> back.state().filter(it -> IdTokens.isSame(made.state(), it)).isPresent())
            .filter(this::isUnderWay);
    if (flow.isEmpty()) {
      return refused(Why.STATE, origin, Map.of());
    }
    return switch (used(flow.get(), origin)) {
      case FIRST -> answered(back, flow.get(), origin);
      case AGAIN -> refused(Why.STATE, origin, Map.of());
      case TOO_MANY -> new Finish.Busy(BUSY_SECONDS);
    };
  }

  /// None lasts longer than ours do, whatever a cookie says.
  private boolean isUnderWay(Flow flow) {
    Instant now = clock.instant();
    return now.isBefore(flow.expires())
        && !flow.expires().isAfter(now.plus(config.signInWithin()).plus(SKEW));
  }

  private OidcFlowTable.Use used(Flow flow, Origin origin) {
    return database.transaction(
        tx ->
            flows.use(
                tx,
                flow.stateHash(),
                Sources.of(origin.ip()),
                flow.expires().plus(SKEW),
                clock.instant()));
  }

  private Finish answered(WayBack back, Flow flow, Origin origin) {
    boolean ownAnswer =
        back.issuer()
            .map(config.issuer()::equals)
            .orElseGet(() -> !provider.metadata().namesItself());
    if (!ownAnswer) {
      return refused(Why.UNTRUSTED, origin, Map.of("check", "response iss"));
    }
    Optional<String> code = back.code().filter(it -> it.length() <= MAX_CODE);
    if (back.error().isPresent() || code.isEmpty()) {
      return refused(Why.PROVIDER_REFUSED, origin, Map.of());
    }
    return switch (provider.exchange(code.get(), flow.verifier())) {
      case Exchange.Refused(String error) ->
          refused(Why.PROVIDER_REFUSED, origin, Map.of("error", error));
      case Exchange.Done(String token) ->
          switch (checked(token, flow.nonce())) {
            case Checked.Good(JsonObject claims) -> entering(claims, origin);
            case Checked.Bad(String what) ->
                refused(Why.UNTRUSTED, origin, Map.of("check", "token " + what));
            case Checked.UnknownKey() ->
                refused(Why.UNTRUSTED, origin, Map.of("check", "token key"));
          };
    };
  }

  private Checked checked(String token, String nonce) {
    Checked first = idTokens.check(token, provider.keys(false), nonce);
    return first instanceof Checked.UnknownKey
        ? idTokens.check(token, provider.keys(true), nonce)
        : first;
  }

  private Finish entering(JsonObject claims, Origin origin) {
    var identity = new OidcIdentity(config.issuer(), claims.getString("sub"));
    Optional<String> email = idTokens.email(claims);
    Optional<Role> role = idTokens.role(claims);
    Entry entry = database.transaction(tx -> enter(tx, identity, email, role, origin));
    return switch (entry) {
      case Entry.In(SignedIn tokens) -> new Finish.Granted(tokens);
      case Entry.Out(Why why, Optional<String> name, boolean intact) -> {
        if (!intact) {
          name.ifPresent(signIns::tampered);
        }
        AuditEvent event = failure(origin, "denied", reason(why), Map.of());
        refusals.ofSignIn(name.map(event::by).orElse(event));
        yield new Finish.Refused(why);
      }
    };
  }

  private sealed interface Entry {
    record In(SignedIn tokens) implements Entry {}

    /// @param name as far as it is known
    record Out(Why why, Optional<String> name, boolean intact) implements Entry {
      Out(Why why, Optional<String> name) {
        this(why, name, true);
      }
    }
  }

  private Entry enter(
      Tx tx, OidcIdentity identity, Optional<String> email, Optional<Role> role, Origin origin) {
    Optional<User> known = users.find(tx, identity);
    if (known.isEmpty()) {
      return create(tx, identity, email, role, origin);
    }
    String name = known.get().email();
    if (Accounts.role(known.get()) == Role.ADMIN && !role.equals(Optional.of(Role.ADMIN))) {
      // As elsewhere: the Admins first, so that two changes never wait for each other.
      users.enabledAdmins(tx);
    }
    Optional<User> locked =
        users.findForUpdate(tx, name).filter(it -> it.oidc().equals(Optional.of(identity)));
    if (locked.isEmpty()) {
      return new Entry.Out(Why.DISABLED, Optional.of(name));
    }
    User user = locked.get();
    if (!user.intact() || user.disabled()) {
      return new Entry.Out(Why.DISABLED, Optional.of(name), user.intact());
    }
    if (role.isEmpty()) {
      // What somebody lost at the provider they do not keep here until their session is over.
      sessions.revokeAllOf(tx, name, "oidc-role", clock.instant());
      news.tell(tx, new News.OfUser(name));
      return new Entry.Out(Why.NO_ROLE, Optional.of(name));
    }
    if (Accounts.role(user) != role.get()) {
      if (isLastAdmin(tx, user)) {
        return new Entry.Out(Why.LAST_ADMIN, Optional.of(name));
      }
      users.changeRights(tx, name, role.get().stored(), user.gatewayAccess());
      audit.record(
          tx,
          event("user.update", origin, name)
              .changing(
                  Map.of(
                      "role",
                      Map.of("old", Accounts.role(user).text(), "new", role.get().text()))));
      news.tell(tx, new News.OfUser(name));
    }
    return in(tx, name, origin);
  }

  private boolean isLastAdmin(Tx tx, User user) {
    return Accounts.role(user) == Role.ADMIN
        && user.gatewayAccess().isEmpty()
        && users.enabledAdmins(tx) <= 1;
  }

  private Entry create(
      Tx tx, OidcIdentity identity, Optional<String> email, Optional<Role> role, Origin origin) {
    if (role.isEmpty()) {
      return new Entry.Out(Why.NO_ROLE, email);
    }
    if (email.isEmpty()) {
      return new Entry.Out(Why.NO_EMAIL, email);
    }
    String name = email.get();
    String stored = role.get().stored();
    if (!users.insertOidc(tx, name, stored, identity, BY, clock.instant())) {
      // Also when the same person's other sign-in made it a moment ago: the next one finds it.
      return new Entry.Out(Why.EMAIL_TAKEN, email);
    }
    audit.record(
        tx,
        event("user.create", origin, name)
            .changing(Map.of("role", role.get().text(), "issuer", identity.issuer())));
    return in(tx, name, origin);
  }

  private Entry in(Tx tx, String name, Origin origin) {
    User user = users.find(tx, name).orElseThrow();
    return new Entry.In(signIns.open(tx, user, origin, Map.of("method", BY)));
  }

  private Finish refused(Why why, Origin origin, Map<String, Object> more) {
    refusals.ofSignIn(failure(origin, "denied", reason(why), more));
    return new Finish.Refused(why);
  }

  private static String reason(Why why) {
    return "oidc_" + why.name().toLowerCase(Locale.ROOT);
  }

  private static AuditEvent failure(
      Origin origin, String result, String reason, Map<String, Object> more) {
    return AuditEvent.of("authentication.failure", result)
        .because(reason)
        .changing(more)
        .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource()));
  }

  private static AuditEvent event(String type, Origin origin, String target) {
    return AuditEvent.of(type, "success")
        .by(BY)
        .on(target)
        .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource()));
  }

  public void close() {
    provider.close();
  }
}
