package io.penstock.broker.agents;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.keys.EnrollRoot;
import io.penstock.broker.keys.TokenBinding;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EnrollmentTokenTable;
import io.penstock.broker.store.EnrollmentTokenTable.Token;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// Enrollment tokens as an Admin makes, lists and withdraws them. The secret is derived when a
/// token
/// is made, shown once, and stored nowhere. Blocks like every transaction.
public final class EnrollmentTokens {
  public static final Duration MAX_TTL = Duration.ofHours(24);

  private final Database database;
  private final EnrollmentTokenTable table = new EnrollmentTokenTable();
  private final Audit audit;
  private final EnrollRoot enrollRoot;
  private final Supplier<Pin> pins;
  private final SecureRandom random;

  /// What every token tells its agent to trust.
  ///
  /// @param caSha256 of the broker's TLS CA, when that is not a public one
  public record Pin(Octets rootSha256, String brokerUrl, Optional<Octets> caSha256) {}

  /// What a token is to be good for; empty agent and site: any new agent.
  public record Wish(
      Optional<String> agent,
      Optional<String> site,
      Map<String, String> labels,
      List<String> allowedCidrs,
      boolean reenroll,
      Duration ttl) {}

  /// @param text the whole token; a secret
  public record Issued(String id, String text, Instant expiresAt) {
    @Override
    public String toString() {
      return "Issued[" + id + ", secret]";
    }
  }

  /// @param pins asked for every token: the root may have been rotated
  public EnrollmentTokens(
      Database database,
      Audit audit,
      EnrollRoot enrollRoot,
      Supplier<Pin> pins,
      SecureRandom random) {
    this.database = database;
    this.audit = audit;
    this.enrollRoot = enrollRoot;
    this.pins = pins;
    this.random = random;
  }

  /// Makes a token; `event` is recorded with its id in the same transaction.
  public Issued create(Wish wish, String by, AuditEvent event) {
    byte[] id = new byte[EnrollmentToken.ID_BYTES];
    random.nextBytes(id);
    Instant now = enrollRoot.now();
    Instant expires = Instant.ofEpochSecond(now.plus(wish.ttl()).getEpochSecond());
    var binding =
        new TokenBinding(
            Octets.of(id),
            expires,
            wish.agent(),
            wish.site(),
            wish.labels(),
            wish.allowedCidrs(),
            wish.reenroll());
    Pin pin = pins.get();
    var token =
        new EnrollmentToken(
            binding.id(),
            enrollRoot.secretOf(binding, now),
            pin.rootSha256(),
            expires,
            pin.brokerUrl(),
            pin.caSha256());
    database.run(
        tx -> {
          table.insert(
              tx,
              new Token(
                  binding.id(),
                  wish.agent(),
                  wish.site(),
                  wish.labels(),
                  wish.allowedCidrs(),
                  wish.reenroll(),
                  now,
                  by,
                  expires,
                  Optional.empty(),
                  0,
                  Optional.empty()));
          audit.record(tx, event.on(binding.id().hex()));
        });
    return new Issued(binding.id().hex(), token.text(), expires);
  }

  /// Newest first, at most 1,000.
  public List<Token> list() {
    return database.transaction(table::list);
  }

  /// False when there is none of that id.
  public boolean delete(Octets id, AuditEvent event) {
    return database.transaction(
        tx -> {
          if (!table.delete(tx, id)) {
            return false;
          }
          audit.record(tx, event.on(id.hex()));
          return true;
        });
  }
}
