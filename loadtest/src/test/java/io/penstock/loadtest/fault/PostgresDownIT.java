package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.client.ApiException;
import io.penstock.loadtest.client.PublicApi;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Postgres dies, alone, and comes back. Nothing can be changed meanwhile, because nothing could be
/// recorded; whoever calls a system notices nothing.
@Timeout(300)
class PostgresDownIT {
  private static final Duration ANSWERED_WITHIN = Duration.ofSeconds(10);
  private static final int CALLS = 50;

  /// Long enough for everything that is tried while Postgres is away.
  private static final int EVENTS = 300;

  private static final int EVENT_MS = 100;

  @TempDir private Path directory;

  @Test
  void nothingIsChangedAndEveryCallGoesOn() throws Exception {
    try (ExternalPostgres postgres = ExternalPostgres.start(ExternalPostgres.broughtAlong());
        Plant plant =
            Plant.open(
                directory, launch -> launch.variable("PENSTOCK_DATABASE_URL", postgres.url()));
        var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      PenstockProcess agent = plant.enroll();
      HttpResponse<InputStream> stream =
          plant.get("/sse?ms=%d&count=%d".formatted(EVENT_MS, EVENTS));
      assertThat(stream.statusCode()).isEqualTo(200);
      Future<List<String>> events = callers.submit(() -> events(stream));

      postgres.kill();

      assertUnavailable(() -> plant.createToken("late", "berlin"));
      assertUnavailable(() -> plant.api().post("/agents/" + Plant.AGENT + "/revoke", reason()));
      assertUnavailable(() -> plant.api().post("/service-accounts", account()));
      assertThat(goodCalls(plant)).as("good calls while Postgres is away").isEqualTo(CALLS);
      assertThat(events.isDone()).as("the stream is over before Postgres is back").isFalse();

      postgres.restart();

      plant.await("changes are taken again", () -> takesChanges(plant));
      assertThat(events.get(EVENTS * EVENT_MS * 2L, TimeUnit.MILLISECONDS)).hasSize(EVENTS);
      assertThat(goodCalls(plant)).isEqualTo(CALLS);
      assertThat(plant.isOnline()).isTrue();
      assertThat(plant.state()).isEqualTo("approved");
      assertThat(plant.api().get("/service-accounts").findValuesAsText("name"))
          .contains("after")
          .doesNotContain("late");
      assertThat(agent.isAlive()).isTrue();
    }
  }

  private static ObjectNode reason() {
    return PublicApi.object().put("reason", "while nothing can be recorded");
  }

  private static ObjectNode account() {
    ObjectNode account = PublicApi.object().put("name", "late");
    account.putArray("systems").add("berlin/*");
    return account;
  }

  private static void assertUnavailable(ThrowingCallable change) {
    long start = System.nanoTime();
    ApiException refused = catchThrowableOfType(ApiException.class, change);
    assertThat(refused).isNotNull();
    assertThat(refused.status()).as(refused.getMessage()).isEqualTo(503);
    assertThat(refused).hasMessageContaining("the database does not answer");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ANSWERED_WITHIN);
  }

  private static int goodCalls(Plant plant) {
    int good = 0;
    for (int i = 0; i < CALLS; i++) {
      good += plant.serves() ? 1 : 0;
    }
    return good;
  }

  private static boolean takesChanges(Plant plant) throws IOException {
    ObjectNode account = account().put("name", "after");
    try {
      plant.api().post("/service-accounts", account);
      return true;
    } catch (ApiException notYet) {
      // An earlier try may have come through though its answer did not.
      return notYet.status() == 409;
    }
  }

  private static List<String> events(HttpResponse<InputStream> stream) throws IOException {
    try (var lines =
        new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
      return lines.lines().filter(line -> line.startsWith("id: ")).toList();
    }
  }
}
