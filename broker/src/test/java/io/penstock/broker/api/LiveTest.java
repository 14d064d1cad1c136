package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Role;
import io.penstock.broker.edge.InvocationRecord.HopMicros;
import io.penstock.broker.measure.Calls;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The live feed and what was measured, over real HTTP on a real Postgres.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
class LiveTest {
  private static final String LIVE = "/api/v1/live?topics=";

  private ApiRig rig;
  private HttpClient client;
  private String viewer;
  private String operator;
  private String scoped;

  @BeforeAll
  void start(@TempDir Path directory) {
    rig = new ApiRig(directory.resolve("data"));
    rig.systems.postgres.execute("truncate hop_times");
    rig.systems.approved("inside-1");
    rig.systems.approved("outside-1");
    viewer = rig.user("viewer@example.org", Role.VIEWER);
    operator = rig.user("operator@example.org", Role.OPERATOR);
    scoped = rig.user("scoped@example.org", Role.OPERATOR, "agent:inside-1");
    client = HttpClient.newHttpClient();
  }

  @AfterAll
  void stop() {
    client.close();
    rig.close();
  }

  private record Event(String id, String name, JsonObject data) {}

  /// A reader of one stream, on a thread of its own.
  private final class Reader implements AutoCloseable {
    final HttpResponse<InputStream> answer;
    private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final List<Event> all = new ArrayList<>();

    Reader(String path, String token, String... fields) throws IOException, InterruptedException {
      var request =
          HttpRequest.newBuilder(URI.create("http://" + rig.authority() + path))
              .header("Authorization", "Bearer " + token);
      if (fields.length > 0) {
        request.headers(fields);
      }
      answer = client.send(request.build(), BodyHandlers.ofInputStream());
      assertThat(answer.statusCode()).isEqualTo(200);
      Thread.ofVirtual().start(this::read);
    }

    private void read() {
      try (var lines =
          new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
        String id = "";
        String name = "";
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith("id: ")) {
            id = line.substring(4);
          } else if (line.startsWith("event: ")) {
            name = line.substring(7);
          } else if (line.startsWith("data: ")) {
            events.add(new Event(id, name, new JsonObject(line.substring(6))));
          }
        }
        events.add(new Event("", "(end)", new JsonObject()));
      } catch (IOException | UncheckedIOException closed) {
        events.add(new Event("", "(cut)", new JsonObject()));
      }
    }

    Event await(String name) throws InterruptedException {
      return await(name, _ -> true);
    }

    Event await(String name, Predicate<JsonObject> wanted) throws InterruptedException {
      while (true) {
        Event event = events.poll(15, TimeUnit.SECONDS);
        assertThat(event).as("an event %s after %s", name, all).isNotNull();
        all.add(event);
        if (event.name().equals(name) && wanted.test(event.data())) {
          return event;
        }
      }
    }

    void awaitId(String id) throws InterruptedException {
      while (all.isEmpty() || !all.getLast().id().equals(id)) {
        await("overview");
      }
    }

    List<String> ids(String name) {
      return all.stream().filter(event -> event.name().equals(name)).map(Event::id).toList();
    }

    @Override
    public void close() throws IOException {
      answer.body().close();
    }
  }

  private void call(String agent, long systemMicros) {
    rig.watched
        .instruments
        .observer()
        .ended(
            Calls.answered(
                agent, "erp", new HopMicros(100, 900, 200, systemMicros, systemMicros + 1_300)));
  }

  private JsonObject get(String path, String token) {
    HttpResponse<String> answer = rig.send("GET", path, "", token);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return new JsonObject(answer.body());
  }

  private int status(String path, String token) {
    return rig.send("GET", path, "", token).statusCode();
  }

  @Test
  void aStreamSaysWhatItIsAndTicksEverySecond() throws Exception {
    try (var reader = new Reader(LIVE + "overview,latency,broker", rig.admin)) {
      assertThat(reader.answer.headers().firstValue("Content-Type")).contains("text/event-stream");
      assertThat(reader.answer.headers().firstValue("X-Accel-Buffering")).contains("no");
      JsonObject hello = reader.await("hello").data();
      assertThat(hello.getString("node")).isEqualTo("broker-1");
      assertThat(hello.getBoolean("resumed")).isFalse();
      assertThat(hello.getJsonArray("topics"))
          .isEqualTo(new JsonArray().add("overview").add("latency").add("broker"));

      long first = reader.await("overview").data().getLong("t");
      long second = reader.await("overview").data().getLong("t");
      assertThat(second).isGreaterThan(first);
      call("inside-1", 40_000);

      JsonObject latency = reader.await("latency", data -> data.getInteger("count") > 0).data();
      assertThat(latency.getValue("agent")).isNull();
      double system = latency.getJsonObject("hops").getJsonObject("system").getDouble("p50_ms");
      assertThat(system).isBetween(39.6, 40.4);
      assertThat(reader.await("broker").data().getJsonObject("database").getInteger("in_use"))
          .isNotNegative();
    }
  }

  @Test
  void topicsAreCheckedOneByOne() {
    assertThat(status("/api/v1/live", viewer)).isEqualTo(400);
    assertThat(status(LIVE + "overview,nonsense", viewer)).isEqualTo(400);
    assertThat(status(LIVE + "overview,requests", viewer)).isEqualTo(403);
    assertThat(status(LIVE + "broker", viewer)).isEqualTo(403);
    assertThat(status(LIVE + "broker", scoped)).isEqualTo(403);
    assertThat(status("/api/v1/broker", scoped)).isEqualTo(403);
    assertThat(status(LIVE + "latency&agent=outside-1", scoped)).isEqualTo(404);
    assertThat(status("/api/v1/latency?agent=outside-1", scoped)).isEqualTo(404);
  }

  @Test
  void whoComesBackReadsOnWhereHeLeft() throws Exception {
    try (var whole = new Reader(LIVE + "overview", viewer)) {
      whole.await("hello");
      String last;
      try (var reader = new Reader(LIVE + "overview", viewer)) {
        last = reader.await("overview").id();
      }
      // Some seconds pass without him.
      whole.await("overview");
      whole.await("overview");
      whole.await("overview");
      String later = whole.await("overview").id();

      try (var reader = new Reader(LIVE + "overview", viewer, "Last-Event-ID", last)) {
        assertThat(reader.await("hello").data().getBoolean("resumed")).isTrue();
        reader.awaitId(later);

        List<String> ids = whole.ids("overview");
        assertThat(reader.ids("overview"))
            .isEqualTo(ids.subList(ids.indexOf(last) + 1, ids.indexOf(later) + 1));
      }
    }
  }

  @Test
  void anIdOfAnotherBrokerMeansABeginningAnew() throws Exception {
    try (var reader = new Reader(LIVE + "overview&last_event_id=abc-1-17", viewer)) {
      assertThat(reader.await("hello").data().getBoolean("resumed")).isFalse();
      assertThat(reader.await("reset").data().getString("reason")).isEqualTo("restarted");
    }
  }

  @Test
  void somebodyWithAScopeSeesTheirOwnAgentsOnly() throws Exception {
    try (var all = new Reader(LIVE + "requests,latency,overview", operator);
        var some = new Reader(LIVE + "requests,latency,overview", scoped)) {
      all.await("hello");
      some.await("hello");
      call("inside-1", 111_000);
      call("outside-1", 222_000);

      all.await("request", data -> data.getString("agent").equals("outside-1"));
      some.await("request", data -> data.getString("agent").equals("inside-1"));
      some.await("requests");
      some.await("overview");

      assertThat(some.all)
          .filteredOn(event -> event.name().equals("request"))
          .allMatch(event -> event.data().getString("agent").equals("inside-1"));
      assertThat(some.all)
          .filteredOn(event -> event.name().equals("latency"))
          .allMatch(
              event ->
                  event.data().getJsonObject("hops").getJsonObject("system").getDouble("max_ms")
                      < 200);
      assertThat(some.all)
          .filteredOn(event -> event.name().equals("overview"))
          .allMatch(event -> event.data().getJsonObject("agents").getInteger("total") == 1);
    }
    JsonObject rows = get("/api/v1/requests?limit=1000", scoped);
    assertThat(rows.getJsonArray("rows"))
        .isNotEmpty()
        .allMatch(row -> ((JsonObject) row).getString("agent").equals("inside-1"));
  }

  @Test
  void signingOutEndsTheStreamAndSaysSo() throws Exception {
    String token = rig.login("viewer@example.org", ApiRig.PASSWORD);
    try (var reader = new Reader(LIVE + "overview", token)) {
      reader.await("overview");
      long start = System.nanoTime();
      assertThat(rig.send("POST", "/api/v1/auth/logout", "{}", token).statusCode()).isEqualTo(204);

      assertThat(reader.await("ended").data().getString("reason")).isEqualTo("session-over");
      reader.await("(end)");

      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void anotherRoleAndADisabledUserEndTheStream() throws Exception {
    String token = rig.user("mover@example.org", Role.OPERATOR);
    try (var reader = new Reader(LIVE + "overview,requests", token)) {
      reader.await("overview");
      var change = new JsonObject().put("role", "Viewer");
      assertThat(
              rig.send("PATCH", "/api/v1/users/mover@example.org", change.encode(), rig.admin)
                  .statusCode())
          .isEqualTo(200);

      assertThat(reader.await("ended").data().getString("reason")).isEqualTo("rights-changed");
    }
    assertThat(status(LIVE + "requests", token)).isEqualTo(403);
    try (var reader = new Reader(LIVE + "overview", token)) {
      reader.await("overview");
      rig.send("POST", "/api/v1/users/mover@example.org/disable", "{}", rig.admin);

      assertThat(reader.await("ended").data().getString("reason")).isEqualTo("session-over");
    }
  }

  @Test
  void oneSignInWatchesInSoManyPlacesOnly() throws Exception {
    String token = rig.user("tabs@example.org", Role.VIEWER);
    var readers = new ArrayList<Reader>();
    try {
      for (int i = 0; i < 16; i++) {
        var reader = new Reader(LIVE + "alarms", token);
        readers.add(reader);
        reader.await("hello");
      }

      HttpResponse<String> refused = rig.send("GET", LIVE + "alarms", "", token);

      assertThat(refused.statusCode()).isEqualTo(429);
      assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    } finally {
      for (Reader reader : readers) {
        reader.close();
      }
    }
  }

  @Test
  void anAlarmThatIsRaisedOrClearedIsTold() throws Exception {
    var alarms = new AlarmTable();
    try (var reader = new Reader(LIVE + "alarms", viewer)) {
      reader.await("hello");
      rig.systems
          .database()
          .run(tx -> alarms.raise(tx, AlarmKind.AGENT_OFFLINE, "inside-1", "look", Instant.now()));
      rig.watched.alarmNews.listening();

      Event raised = reader.await("alarm", data -> data.getString("message").equals("look"));
      long id = raised.data().getLong("id");
      assertThat(raised.data().getString("state")).isEqualTo("open");
      rig.systems
          .database()
          .run(tx -> alarms.clear(tx, AlarmKind.AGENT_OFFLINE, "inside-1", Instant.now()));
      rig.watched.alarmNews.hint("cleared " + id);

      Event cleared = reader.await("alarm", data -> data.getLong("id") == id);
      assertThat(cleared.data().getString("state")).isEqualTo("cleared");
    }
  }

  @Test
  void aChangedAgentIsToldOnce() throws Exception {
    try (var reader = new Reader(LIVE + "agents", viewer)) {
      reader.await("hello");
      rig.systems.approved("newcomer-1");

      JsonObject agent =
          reader.await("agent", data -> data.getString("id").equals("newcomer-1")).data();

      assertThat(agent.getString("state")).isEqualTo("approved");
      assertThat(agent.getBoolean("online")).isFalse();
    }
  }

  @Test
  void timesAreAnsweredWithPercentilesAndCellsAndTheHopsSumToTheTotal() throws Exception {
    Instant from = Instant.now().minusSeconds(30);
    for (int i = 0; i < 50; i++) {
      call("inside-1", 80_000);
    }
    try (var reader = new Reader(LIVE + "latency", operator)) {
      reader.await("latency");
    }
    String range = "&from=" + from + "&to=" + Instant.now().plusSeconds(5);

    JsonObject latency = get("/api/v1/latency?agent=inside-1&hop=system" + range, viewer);
    JsonObject hops = get("/api/v1/latency/hops?agent=inside-1" + range, viewer);
    JsonObject series = get("/api/v1/latency/series?agent=inside-1" + range, viewer);

    assertThat(latency.getInteger("step_s")).isEqualTo(10);
    assertThat(latency.getJsonArray("bounds_ms")).hasSize(43);
    JsonObject point = latency.getJsonArray("points").getJsonObject(0);
    assertThat(point.getDouble("max_ms")).isGreaterThan(39);
    assertThat(point.getJsonArray("cells")).isNotEmpty();
    double difference =
        hops.getDouble("hops_mean_sum_ms") - hops.getJsonObject("total").getDouble("mean_ms");
    assertThat(Math.abs(difference)).isLessThanOrEqualTo(hops.getDouble("error_ms") + 0.002);
    assertThat(series.getJsonArray("series").getJsonObject(0).getString("system")).isEqualTo("erp");
    assertThat(status("/api/v1/latency?hop=nonsense", viewer)).isEqualTo(400);
    assertThat(status("/api/v1/latency?step=10" + "&from=2026-01-01T00:00:00Z", viewer))
        .isEqualTo(400);
  }

  @Test
  void aRecentRequestIsFoundByItsIdAndShowsItsHopsOnly() throws Exception {
    call("inside-1", 654_000);
    try (var reader = new Reader(LIVE + "requests", operator)) {
      reader.await("requests");
    }
    JsonObject list = get("/api/v1/requests?min_ms=650&max_ms=660&status=2xx", operator);
    JsonObject row = list.getJsonArray("rows").getJsonObject(0);

    JsonObject one = get("/api/v1/requests/" + row.getString("id"), operator);

    assertThat(one.getDouble("total_ms")).isEqualTo(655.3);
    JsonObject hops = one.getJsonObject("hops");
    double sum = hops.stream().mapToDouble(hop -> ((Number) hop.getValue()).doubleValue()).sum();
    assertThat(Math.abs(sum - 655.3)).isLessThanOrEqualTo(one.getDouble("error_ms"));
    assertThat(one.fieldNames()).doesNotContain("path", "query", "headers", "body");
    assertThat(status("/api/v1/requests", viewer)).isEqualTo(403);
  }

  @Test
  void theOverviewCountsAndTheBrokerTellsHowItIs() {
    JsonObject overview = get("/api/v1/overview", viewer);
    assertThat(overview.getJsonObject("agents").getInteger("total")).isGreaterThanOrEqualTo(2);
    assertThat(overview.fieldNames()).contains("requests_per_s", "p99_ms", "availability_24h");
    assertThat(get("/api/v1/overview", scoped).getJsonObject("agents").getInteger("total"))
        .isEqualTo(1);

    JsonObject node = get("/api/v1/broker", operator).getJsonArray("nodes").getJsonObject(0);
    assertThat(node.getString("node")).isEqualTo("broker-1");
    assertThat(node.getJsonObject("recorder").getInteger("limit")).isEqualTo(100);
  }
}
