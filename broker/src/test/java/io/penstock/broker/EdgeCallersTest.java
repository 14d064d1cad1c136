package io.penstock.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.AccessRig;
import io.penstock.broker.edge.BearerToken;
import io.penstock.broker.edge.Caller;
import io.penstock.broker.edge.CallerVerdict;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EdgeCallersTest {
  private static final InetSocketAddress REMOTE =
      new InetSocketAddress(InetAddress.ofLiteral("198.51.100.4"), 4711);

  @TempDir Path directory;
  private AccessRig rig;
  private EdgeCallers callers;

  @BeforeEach
  void start() {
    rig = new AccessRig(directory.resolve("data"));
    callers = new EdgeCallers(rig.accounts());
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private CallerVerdict authenticate(String token) throws Exception {
    return later(token).get(20, TimeUnit.SECONDS);
  }

  private CompletableFuture<CallerVerdict> later(String token) {
    return callers.authenticate(new BearerToken(token), REMOTE).toCompletableFuture();
  }

  private Caller known(String token) throws Exception {
    return ((CallerVerdict.Known) authenticate(token)).caller();
  }

  @Test
  void aGoodTokenIsLookedUpOnceAndThenKnownAtOnceAsTheSameCaller() throws Exception {
    String token = rig.token("billing", Duration.ofHours(1), "berlin/erp");
    assertThat(callers.cached(new BearerToken(token))).isEmpty();

    Caller caller = known(token);

    assertThat(caller.name()).isEqualTo("billing");
    assertThat(callers.cached(new BearerToken(token)).orElseThrow()).isSameAs(caller);
    rig.pass(Duration.ofSeconds(6));
    assertThat(callers.cached(new BearerToken(token))).isEmpty();
    assertThat(known(token)).isSameAs(caller);
  }

  @Test
  void aForgedTokenIsUnknownAndAuditedWithWhereItCameFrom() throws Exception {
    String token = rig.token("billing", Duration.ofHours(1), "berlin/erp");
    int middle = token.length() - 40;
    char other = token.charAt(middle) == 'A' ? 'B' : 'A';
    String forged = token.substring(0, middle) + other + token.substring(middle + 1);

    assertThat(authenticate(forged)).isEqualTo(new CallerVerdict.Unknown());

    assertThat(callers.cached(new BearerToken(forged))).isEmpty();
    List<String> from =
        TestAudit.of(rig.real).stream()
            .filter(entry -> entry.eventType().equals("authentication.failure"))
            .map(entry -> entry.ipAddress().orElse(""))
            .toList();
    assertThat(from).containsExactly("198.51.100.4");
  }

  @Test
  void aSourceOfManyBadTokensIsLimited() throws Exception {
    CallerVerdict verdict = new CallerVerdict.Unknown();
    int asked = 0;
    while (verdict instanceof CallerVerdict.Unknown && asked < 200) {
      verdict = authenticate("bad-" + asked++);
    }

    assertThat(verdict)
        .isInstanceOfSatisfying(
            CallerVerdict.Limited.class, it -> assertThat(it.retryAfterSeconds()).isPositive());
  }

  @Test
  void withoutTheDatabaseStrangersCannotBeFoundOutAndKnownCallersGoOn() throws Exception {
    String seen = rig.token("billing", Duration.ofHours(1), "berlin/erp");
    String unseen = rig.token("other", Duration.ofHours(1), "berlin/erp");
    Caller caller = known(seen);
    rig.database.cut();
    rig.pass(Duration.ofMinutes(1));

    assertThat(authenticate(unseen)).isEqualTo(new CallerVerdict.Unavailable());
    assertThat(known(seen)).isSameAs(caller);
  }

  @Test
  void atMostSoManyAreLookedUpAtATimeAndAllGetAnAnswer() throws Exception {
    String token = rig.token("billing", Duration.ofHours(1), "berlin/erp");
    var asked = new ArrayList<CompletableFuture<CallerVerdict>>();
    for (int i = 0; i < 2_000; i++) {
      asked.add(later(token));
    }

    int known = 0;
    int unavailable = 0;
    for (CompletableFuture<CallerVerdict> answer : asked) {
      switch (answer.get(30, TimeUnit.SECONDS)) {
        case CallerVerdict.Known _ -> known++;
        case CallerVerdict.Unavailable _ -> unavailable++;
        case CallerVerdict.Unknown _, CallerVerdict.Limited _ ->
            throw new AssertionError("a good token was refused");
      }
    }

    assertThat(known).isGreaterThanOrEqualTo(256);
    assertThat(known + unavailable).isEqualTo(2_000);
    // Every slot is free again.
    for (int i = 0; i < 300; i++) {
      assertThat(known(token).name()).isEqualTo("billing");
    }
  }
}
