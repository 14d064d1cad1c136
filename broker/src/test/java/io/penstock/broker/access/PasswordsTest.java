package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Passwords.Check;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordsTest {
  private static final String EVE = "eve.sullivan@example.org";
  private static final String RIGHT = "plaice granite 4711 umbrella";
  private final Passwords passwords = new Passwords(new SecureRandom());
  private final AtomicInteger wrong = new AtomicInteger();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "short",
        "password1234",
        "Password1234!",
        "P@ssw0rd1234",
        "qwertyuiop123",
        "1qaz2wsx3edc",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012",
        "eve.sullivan1",
        "eve.sullivan@example.org",
        "penstockpenstock",
        "letmeinletmein",
      })
  void aPasswordThatIsGuessedSoonIsNotTaken(String weak) {
    assertThat(Passwords.weakness(weak, EVE))
        .hasValueSatisfying(why -> assertThat(why).startsWith("expected ").doesNotContain(weak));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plaice granite 4711 umbrella",
        "x7Kq-93mW-zzP0",
        "Pferd Zement Wolke Akku",
        "\u00fcber den \u00c4quator \u4f60\u597d 7",
      })
  void aGoodOneIs(String strong) {
    assertThat(Passwords.weakness(strong, EVE)).isEmpty();
  }

  @Test
  void whatIsGeneratedIsGood() {
    for (int i = 0; i < 100; i++) {
      assertThat(Passwords.weakness(passwords.generate(), EVE)).isEmpty();
    }
  }

  /// Its judge looks at pieces of every length at every place.
  @Test
  void aLongOneIsJudgedInNoTime() {
    String longest = "aA1!".repeat(64);
    long began = System.nanoTime();

    assertThat(Passwords.weakness(longest, EVE)).isPresent();

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    assertThat(Passwords.weakness("x" + longest, EVE)).hasValue("expected at most 256 characters");
  }

  @Test
  void onlyTheRightOneMatches() {
    String hash = passwords.hash(RIGHT);

    assertThat(hash).startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
    assertThat(check(RIGHT, hash, false)).isEqualTo(Check.RIGHT);
    assertThat(check(RIGHT, hash, true)).isEqualTo(Check.RIGHT);
    assertThat(wrong).hasValue(0);
    assertThat(check("plaice granite 4711 umbrell", hash, false)).isEqualTo(Check.WRONG);
    assertThat(check(RIGHT, "", false)).isEqualTo(Check.WRONG);
    assertThat(wrong).hasValue(2);
    assertThat(passwords.hash(RIGHT)).isNotEqualTo(hash);
  }

  private Check check(String password, String hash, boolean familiar) {
    return passwords.check(password, hash, familiar, guess(() -> true));
  }

  private Passwords.Guess guess(BooleanSupplier mayBeMade) {
    return new Passwords.Guess() {
      @Override
      public boolean mayBeMade() {
        return mayBeMade.getAsBoolean();
      }

      @Override
      public void wasWrong() {
        wrong.incrementAndGet();
      }
    };
  }

  @Test
  void aGuessThatMayNotBeMadeAnyMoreIsNot() {
    String hash = passwords.hash(RIGHT);

    assertThat(passwords.check(RIGHT, hash, false, guess(() -> false))).isEqualTo(Check.CALLED_OFF);
    assertThat(wrong).hasValue(0);
  }

  /// One thread and sixteen places are for familiar sources: the eighteenth goes with everybody.
  @Test
  void aFamiliarCheckThatFindsItsLaneFullGoesToTheOthers() throws Exception {
    String hash = passwords.hash(RIGHT);
    var goesOn = new CountDownLatch(1);
    var all = new ArrayList<CompletableFuture<Check>>();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 18; i++) {
        all.add(
            CompletableFuture.supplyAsync(
                () -> passwords.check(RIGHT, hash, true, guess(() -> held(goesOn))), callers));
      }

      Object first =
          CompletableFuture.anyOf(all.toArray(CompletableFuture[]::new)).get(10, TimeUnit.SECONDS);
      assertThat(first).isEqualTo(Check.RIGHT);
      assertThat(all).as("done while the lane is held").filteredOn(it -> it.isDone()).hasSize(1);
      goesOn.countDown();

      for (CompletableFuture<Check> one : all) {
        assertThat(one.get(30, TimeUnit.SECONDS)).isEqualTo(Check.RIGHT);
      }
    }
  }

  private static boolean held(CountDownLatch goesOn) {
    if (!Thread.currentThread().getName().startsWith("familiar-password-")) {
      return true;
    }
    try {
      return goesOn.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
