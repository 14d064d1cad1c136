package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.broker.access.ServiceAccounts.LookUp;
import io.penstock.broker.store.StoreUnavailableException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServiceAccountsTest {
  private static final Duration LONG = Duration.ofHours(1);

  @TempDir Path directory;
  private AccessRig rig;
  private ServiceAccounts accounts;

  @BeforeEach
  void start() {
    rig = new AccessRig(directory.resolve("data"));
    accounts = rig.accounts();
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private LookUp lookUp(String token) {
    return accounts.lookUp(token, AccessRig.ORIGIN);
  }

  private static void assertFound(LookUp found) {
    assertThat(found)
        .isInstanceOfSatisfying(
            LookUp.Found.class, it -> assertThat(it.invoker().name()).isEqualTo("billing"));
  }

  private void assertCannotBeFoundOut(String token) {
    assertThatThrownBy(() -> lookUp(token)).isInstanceOf(StoreUnavailableException.class);
  }

  @Test
  void whatWasFoundIsKnownForFiveSeconds() {
    String token = rig.token("billing", LONG, "berlin/erp");
    assertThat(accounts.known(token)).isEmpty();

    assertFound(lookUp(token));

    assertThat(accounts.known(token)).isPresent();
    rig.pass(Duration.ofMillis(4_999));
    assertThat(accounts.known(token)).isPresent();
    rig.pass(Duration.ofMillis(1));
    assertThat(accounts.known(token)).isEmpty();
  }

  @Test
  void whenATokenWasUsedLastIsWrittenNowAndThen() {
    String token = rig.token("billing", LONG, "berlin/erp");
    var _ = rig.token("idle", LONG, "berlin/erp");
    assertFound(lookUp(token));
    rig.pass(Duration.ofSeconds(7));
    assertFound(lookUp(token));
    Instant last = rig.now();
    assertThat(usedAt("billing")).as("not per call").isEmpty();

    rig.database.cut();
    assertThatThrownBy(accounts::writeUses).isInstanceOf(StoreUnavailableException.class);
    rig.database.mend();
    accounts.writeUses();

    assertThat(usedAt("billing"))
        .hasValueSatisfying(at -> assertThat(at).isCloseTo(last, within(1, ChronoUnit.SECONDS)));
    assertThat(accounts.tokensOf("billing").getFirst().lastUsedAt())
        .hasValueSatisfying(at -> assertThat(at).isCloseTo(last, within(1, ChronoUnit.SECONDS)));
    assertThat(usedAt("idle")).isEmpty();
    assertFound(lookUp(token));
  }

  private Optional<Instant> usedAt(String account) {
    return accounts.find(account).orElseThrow().lastUsedAt();
  }

  @Test
  void aKnownCallerStaysGoodForTenMinutesOfAnOutage() {
    String token = rig.token("billing", LONG, "berlin/erp");
    assertFound(lookUp(token));
    rig.database.cut();

    rig.pass(Duration.ofMinutes(9));
    assertThat(accounts.known(token)).isEmpty();
    assertFound(lookUp(token));
    assertThat(accounts.known(token)).as("while it is known to be away").isPresent();

    rig.pass(Duration.ofMinutes(1));
    assertThat(accounts.known(token)).isEmpty();
    assertCannotBeFoundOut(token);
  }

  @Test
  void anOutageDoesNotProlongItselfByBeingAskedAbout() {
    String token = rig.token("billing", LONG, "berlin/erp");
    assertFound(lookUp(token));
    rig.database.cut();

    for (int minute = 1; minute < 10; minute++) {
      rig.pass(Duration.ofMinutes(1));
      assertFound(lookUp(token));
    }

    rig.pass(Duration.ofMinutes(1));
    assertCannotBeFoundOut(token);
  }

  @Test
  void anExpiredTokenDoesNotPassInAnOutageEither() {
    String token = rig.token("billing", Duration.ofMinutes(3), "berlin/erp");
    assertFound(lookUp(token));
    rig.database.cut();
    rig.pass(Duration.ofMinutes(2));
    assertFound(lookUp(token));
    // Others keep asking: it stays known that the database is away.
    assertCannotBeFoundOut("x");
    assertThat(accounts.known(token)).isPresent();

    rig.pass(Duration.ofMinutes(1));
    assertCannotBeFoundOut(token);

    assertThat(accounts.known(token)).isEmpty();
  }

  @Test
  void anExpiredTokenDoesNotPassFromMemoryEither() {
    String token = rig.token("billing", Duration.ofMinutes(3), "berlin/erp");
    rig.pass(Duration.ofMinutes(3).minusSeconds(2));
    assertFound(lookUp(token));

    rig.pass(Duration.ofSeconds(2));

    assertThat(accounts.known(token)).isEmpty();
    assertThat(lookUp(token)).isEqualTo(new LookUp.Refused());
  }

  /// When news may have been missed, what is known holds until the database is asked again, and
  /// for no outage.
  @Test
  void whatMayHaveChangedUnheardIsNotBelievedForAnOutage() {
    String token = rig.token("billing", LONG, "berlin/erp");
    assertFound(lookUp(token));
    rig.node().news.listening();
    assertThat(accounts.known(token)).isPresent();
    rig.database.cut();
    rig.pass(Duration.ofMinutes(1));

    assertCannotBeFoundOut(token);
    assertThat(accounts.known(token)).isEmpty();
  }

  @Test
  void whatWasReadAfterwardsIs() {
    String token = rig.token("billing", LONG, "berlin/erp");
    rig.node().news.listening();
    assertFound(lookUp(token));
    rig.database.cut();
    rig.pass(Duration.ofMinutes(1));

    assertFound(lookUp(token));
  }

  @Test
  void badTokensOfASourceDoNotStopItsGoodOnes() {
    String good = rig.token("billing", LONG, "berlin/erp");
    String revoked = rig.token("old", LONG, "berlin/erp");
    rig.disable("old");
    for (int i = 0; i < 50; i++) {
      assertThat(lookUp("bad" + i)).isEqualTo(new LookUp.Refused());
    }
    assertThat(lookUp("bad")).isInstanceOf(LookUp.Limited.class);

    assertFound(lookUp(good));
    for (int i = 0; i < 50; i++) {
      assertThat(lookUp(revoked)).isEqualTo(new LookUp.Refused());
    }
    assertThat(lookUp(revoked)).isInstanceOf(LookUp.Limited.class);
    rig.pass(Duration.ofSeconds(6));
    assertFound(lookUp(good));
  }

  @Test
  void whoWasNeverSeenIsNotLetInByAnOutage() {
    String token = rig.token("billing", LONG, "berlin/erp");
    rig.database.cut();

    assertCannotBeFoundOut(token);
    assertThat(accounts.known(token)).isEmpty();
  }

  @Test
  void whoWasDisabledBeforeTheOutageStaysOut() {
    String token = rig.token("billing", LONG, "berlin/erp");
    assertFound(lookUp(token));
    rig.disable("billing");
    rig.database.cut();

    assertCannotBeFoundOut(token);
  }

  @Test
  void afterTheOutageTheDatabaseDecidesAgain() {
    String token = rig.token("billing", LONG, "berlin/erp");
    assertFound(lookUp(token));
    rig.database.cut();
    rig.pass(Duration.ofMinutes(1));
    assertFound(lookUp(token));
    rig.real.execute("update service_accounts set disabled = true");
    rig.database.mend();
    rig.pass(Duration.ofSeconds(6));

    assertThat(accounts.known(token)).isEmpty();
    assertThat(lookUp(token)).isEqualTo(new LookUp.Refused());
  }
}
