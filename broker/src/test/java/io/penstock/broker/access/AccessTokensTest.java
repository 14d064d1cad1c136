package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.AccessTokens.Claims;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.keys.MasterKey;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tokens while the key that signs them is rotated.
class AccessTokensTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir Path directory;
  private final Vertx vertx = Vertx.vertx();
  private final Instant expires = Instant.now().plusSeconds(600).truncatedTo(ChronoUnit.SECONDS);
  private final UUID id = new UUID(7, 7);
  private DataDirectory data;
  private BrokerKeys keys;
  private AccessTokens tokens;

  @BeforeEach
  void start() {
    data = DataDirectory.open(directory.resolve("data"));
    keys =
        BrokerKeys.open(
            data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, Clock.systemUTC());
    tokens = new AccessTokens(vertx, keys::jwtKeys);
  }

  @AfterEach
  void stop() {
    data.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private List<String> published() {
    return tokens.publicKeys().getJsonArray("keys").stream()
        .map(key -> ((JsonObject) key).getString("kid"))
        .toList();
  }

  @Test
  void whatTheReplacedKeySignedCountsUntilThatIsRetired() {
    String user = tokens.forUser("a@example.org", Role.ADMIN, List.of(), id, expires);
    String service = tokens.forService("erp", List.of("berlin/erp"), id, expires);
    String old = keys.signingKid(ManagedKey.JWT);
    List<String> before = published();

    keys.replace(ManagedKey.JWT);

    assertThat(tokens.verify(user)).contains(new Claims.OfUser("a@example.org", id, expires));
    assertThat(tokens.verify(service)).contains(new Claims.OfService("erp", id, expires));
    String next = tokens.forUser("b@example.org", Role.VIEWER, List.of(), id, expires);
    assertThat(tokens.verify(next)).contains(new Claims.OfUser("b@example.org", id, expires));
    assertThat(published()).hasSize(2).containsAll(before);

    keys.retire(old);

    assertThat(tokens.verify(user)).isEmpty();
    assertThat(tokens.verify(service)).isEmpty();
    assertThat(tokens.verify(next)).contains(new Claims.OfUser("b@example.org", id, expires));
    assertThat(published()).hasSize(1).doesNotContainAnyElementsOf(before);
  }

  @Test
  void aTokenOfTheReplacedKeyIsStillJudgedWhole() {
    String user = tokens.forUser("a@example.org", Role.ADMIN, List.of(), id, expires);
    String over =
        tokens.forUser("a@example.org", Role.ADMIN, List.of(), id, Instant.now().minusSeconds(5));
    keys.replace(ManagedKey.JWT);
    String[] parts = user.split("\\.", -1);
    String[] others =
        tokens.forUser("b@example.org", Role.ADMIN, List.of(), id, expires).split("\\.", -1);

    assertThat(tokens.verify(parts[0] + "." + others[1] + "." + parts[2])).isEmpty();
    assertThat(tokens.verify(over)).isEmpty();
  }
}
