package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.config.Networks;
import io.penstock.broker.keys.EnrollRoot;
import io.penstock.broker.keys.TokenBinding;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EnrollmentTokenTable;
import io.penstock.broker.store.EnrollmentTokenTable.Token;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.seal.Octets;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which tokens open a handshake, and the keys that they stand for (`docs/protocol.md`, section 2,
/// "Enrollment"). The database has no secret of a token: a row that was widened gives another key.
final class TokenDoor {
  private final Database database;
  private final EnrollmentTokenTable tokens;
  private final Identities identities;
  private final EnrollRoot root;
  private final Failures badSecrets;
  private final Ledger ledger;
  private final SecureRandom random;
  private final Clock clock;

  TokenDoor(
      Database database,
      EnrollmentTokenTable tokens,
      Identities identities,
      EnrollRoot root,
      Ledger ledger,
      SecureRandom random,
      Clock clock) {
    this.database = database;
    this.tokens = tokens;
    this.identities = identities;
    this.root = root;
    this.badSecrets = new Failures(clock);
    this.ledger = ledger;
    this.random = random;
    this.clock = clock;
  }

  /// What a token is worth at this moment.
  sealed interface Verdict {
    record Usable(Token token) implements Verdict {}

    record Refused(Denial why) implements Verdict {}
  }

  /// The token's key, or a random one where it may not be used. Both take the same steps.
  PresharedKey key(EnrollHello hello, InetAddress remote) {
    byte[] secret = secret(hello, remote);
    try {
      return new PresharedKey(secret);
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
  }

  /// The same as bytes, which the caller wipes.
  byte[] secret(EnrollHello hello, InetAddress remote) {
    if (badSecrets.limited(remote, hello.tokenId())) {
      return randomBytes();
    }
    Octets id = Octets.of(hello.tokenId());
    Optional<Token> token = database.transaction(tx -> usable(tx, id, remote));
    byte[] derived =
        root.secretOf(
                token.map(TokenDoor::binding).orElseGet(() -> noToken(id)),
                token.map(Token::createdAt).orElse(Instant.EPOCH))
            .bytes();
    if (token.isPresent()) {
      return derived;
    }
    Arrays.fill(derived, (byte) 0);
    return randomBytes();
  }

  private Optional<Token> usable(Tx tx, Octets id, InetAddress remote) {
    return switch (judge(tx, tokens.find(tx, id), remote)) {
      case Verdict.Usable(Token token) -> Optional.of(token);
      case Verdict.Refused _ -> Optional.empty();
    };
  }

  /// A used token still opens the handshake while the agent that used it is pending or the token
  /// has
  /// not expired: the one may come again after a crash, and another one who holds the token is to
  /// be recognised.
  Verdict judge(Tx tx, Optional<Token> found, InetAddress remote) {
    if (found.isEmpty()) {
      return new Verdict.Refused(Denial.UNKNOWN_TOKEN);
    }
    Token token = found.get();
    if (!allows(token.allowedCidrs(), remote)) {
      return new Verdict.Refused(Denial.WRONG_NETWORK);
    }
    boolean expired = !clock.instant().isBefore(token.expiresAt());
    if (expired && !pendsWith(tx, token)) {
      return new Verdict.Refused(
          token.use().isPresent() ? Denial.TOKEN_USED : Denial.TOKEN_EXPIRED);
    }
    return new Verdict.Usable(token);
  }

  private boolean pendsWith(Tx tx, Token token) {
    return token.use().isPresent()
        && identities.unchecked().generations(tx, token.use().get().agent()).get().stream()
            .anyMatch(
                keys ->
                    keys.state() == GenerationState.PENDING
                        && keys.origin().tokenId().equals(Optional.of(token.id())));
  }

  /// A range that cannot be read allows nothing.
  private static boolean allows(List<String> cidrs, InetAddress remote) {
    try {
      return Networks.of(cidrs).allow(remote);
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  /// Message 3 did not open: says why, in audit and on the token's page. A source beyond its limit
  /// writes nothing any more.
  void failed(EnrollHello hello, InetAddress remote) {
    if (badSecrets.failed(remote, hello.tokenId())) {
      return;
    }
    Octets id = Octets.of(hello.tokenId());
    database.run(
        tx -> {
          Optional<Token> token = tokens.find(tx, id);
          Denial why =
              switch (judge(tx, token, remote)) {
                case Verdict.Usable _ -> Denial.WRONG_SECRET;
                case Verdict.Refused(Denial refused) -> refused;
              };
          refuse(tx, id, remote, why);
          if (why == Denial.WRONG_SECRET) {
            ledger.alarm(
                tx,
                Alarm.TOKEN_SECRET_WRONG,
                id.hex(),
                "an enrollment knew the token's id but not its secret, or its row was changed",
                Optional.of(remote.getHostAddress()));
          }
        });
  }

  /// Records a refusal in the caller's transaction.
  void refuse(Tx tx, Octets id, InetAddress remote, Denial why) {
    String from = remote.getHostAddress();
    Instant now = clock.instant();
    tokens.refused(tx, id, why.text(), Optional.of(from), now);
    ledger.audit(tx, Ledger.Entry.failure(id.hex(), from, why.text()));
  }

  void succeeded(EnrollHello hello, InetAddress remote) {
    badSecrets.succeeded(remote, hello.tokenId());
  }

  static TokenBinding binding(Token token) {
    return new TokenBinding(
        token.id(),
        token.expiresAt(),
        token.agent(),
        token.site(),
        token.labels(),
        token.allowedCidrs(),
        token.reenroll());
  }

  private byte[] randomBytes() {
    byte[] bytes = new byte[PresharedKey.BYTES];
    random.nextBytes(bytes);
    return bytes;
  }

  private static TokenBinding noToken(Octets id) {
    return new TokenBinding(
        id, Instant.EPOCH, Optional.empty(), Optional.empty(), Map.of(), List.of(), false);
  }
}
