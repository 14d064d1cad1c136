package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.SignIns.SignIn;
import io.penstock.broker.alarms.AlarmRig;
import io.penstock.broker.store.AlarmTable.Severity;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Guesses at passwords, by guessing.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SignInAlarmsTest {
  private static final Duration WINDOW = Duration.ofMinutes(10);

  private AccessRig rig;
  private AlarmRig alarms;
  private int users;

  @BeforeAll
  void start(@TempDir Path directory) {
    rig = new AccessRig(directory.resolve("data"), Map.of("access.logins_per_account", "100"));
  }

  @AfterAll
  void stop() {
    rig.close();
  }

  @BeforeEach
  void begin() {
    // What the test before did is over.
    rig.pass(Duration.ofDays(100));
    users++;
    alarms =
        rig.alarmRig(
            Map.of("alarms.sign_in_failures_account", "4", "alarms.sign_in_failures_address", "6"));
  }

  private SignIn login(String user, String password, String address) {
    return rig.node().accounts.signIns().login(user, password, AccessRig.from(address));
  }

  private void guess(int times, String user, String address) {
    for (int i = 0; i < times; i++) {
      assertThat(login(user, "wrong " + i, address)).isInstanceOf(SignIn.Refused.class);
    }
  }

  private void overAndCalm() {
    rig.pass(WINDOW);
    alarms.look();
    rig.pass(Duration.ofMinutes(1));
    alarms.look();
  }

  @Test
  void wrongPasswordsOfOneUserAreALowAlarmUntilTheyStop() {
    rig.user("ada" + users + "@example.org", Role.VIEWER);
    guess(3, "ada" + users + "@example.org", "203.0.113.1");
    alarms.look();
    assertThat(alarms.standing()).isEmpty();

    guess(1, "ada" + users + "@example.org", "203.0.113.2");
    alarms.look();

    assertThat(alarms.standing())
        .containsExactly("sign-in-failures-of-account user ada" + users + "@example.org");
    assertThat(alarms.only().severity()).isEqualTo(Severity.LOW);
    assertThat(alarms.only().message()).isEqualTo("4 failed sign-ins within 10 min");
    overAndCalm();
    assertThat(alarms.standing()).isEmpty();
  }

  @Test
  void manyFromAnUnknownAddressAreAHighAlarmUntilTheyStop() {
    for (int i = 0; i < 6; i++) {
      guess(1, "nobody" + i + "@example.org", "203.0.113.45");
    }
    alarms.look();

    assertThat(alarms.standing())
        .containsExactly("sign-in-failures-of-address address 203.0.113.45");
    assertThat(alarms.only().severity()).isEqualTo(Severity.HIGH);
    assertThat(alarms.only().address()).contains("203.0.113.45");
    overAndCalm();
    assertThat(alarms.standing()).isEmpty();
  }

  @Test
  void asManyFromAnAddressThatPeopleUseAreAMediumAlarm() {
    rig.user("bob" + users + "@example.org", Role.VIEWER);
    assertThat(login("bob" + users + "@example.org", AccessRig.PASSWORD, "203.0.113.46"))
        .isInstanceOf(SignIn.Granted.class);
    for (int i = 0; i < 6; i++) {
      guess(1, "nobody" + i + "@example.org", "203.0.113.46");
    }
    alarms.look();

    assertThat(alarms.standing())
        .containsExactly("sign-in-failures-of-known-address address 203.0.113.46");
    assertThat(alarms.only().severity()).isEqualTo(Severity.MEDIUM);
    overAndCalm();
    assertThat(alarms.standing()).isEmpty();
  }

  @Test
  void whoGetsInFromANewAddressAfterManyWrongPasswordsIsACriticalAlarm() {
    String user = "eve" + users + "@example.org";
    rig.user(user, Role.ADMIN);
    guess(4, user, "203.0.113.47");
    assertThat(login(user, AccessRig.PASSWORD, "203.0.113.48")).isInstanceOf(SignIn.Granted.class);

    alarms.look();
    alarms.look();

    assertThat(alarms.standing())
        .containsExactlyInAnyOrder(
            "sign-in-after-failures user " + user, "sign-in-failures-of-account user " + user);
    var critical =
        alarms.all().stream()
            .filter(alarm -> alarm.severity() == Severity.CRITICAL)
            .findFirst()
            .orElseThrow();
    assertThat(critical.occurrences()).as("told once").isEqualTo(1);
    assertThat(critical.address()).contains("203.0.113.48");

    alarms.acknowledge(critical);
    alarms.look();
    overAndCalm();
    assertThat(alarms.all())
        .as("and never again for that sign-in")
        .filteredOn(alarm -> alarm.severity() == Severity.CRITICAL)
        .hasSize(1);
  }

  @Test
  void whoWasThereBeforeAndMistypesIsNone() {
    String user = "kim" + users + "@example.org";
    rig.user(user, Role.VIEWER);
    assertThat(login(user, AccessRig.PASSWORD, "203.0.113.49")).isInstanceOf(SignIn.Granted.class);
    guess(4, user, "203.0.113.49");
    assertThat(login(user, AccessRig.PASSWORD, "203.0.113.49")).isInstanceOf(SignIn.Granted.class);

    alarms.look();

    assertThat(alarms.standing()).containsExactly("sign-in-failures-of-account user " + user);
  }

  @Test
  void aRefreshTokenThatIsUsedTwiceNamesTheAddressOfTheSecondOne() {
    String user = "lee" + users + "@example.org";
    rig.user(user, Role.VIEWER);
    var signedIn = rig.node().signIn(user);
    var _ = rig.node().accounts.signIns().refresh(signedIn.refreshToken(), AccessRig.ORIGIN);

    var _ =
        rig.node()
            .accounts
            .signIns()
            .refresh(signedIn.refreshToken(), AccessRig.from("203.0.113.50"));

    assertThat(alarms.standing()).containsExactly("refresh-token-reused user " + user);
    assertThat(alarms.only().address()).contains("203.0.113.50");
  }
}
