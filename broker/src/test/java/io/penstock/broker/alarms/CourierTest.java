package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.config.ConfigException;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Webhooks over real sockets: signed, cut when they hang, tried again when they are down.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CourierTest {
  private static final String SECRET = "a secret of some length";

  private Path directory;
  private World world;
  private AlarmRig rig;

  @BeforeAll
  void start(@TempDir Path temporary) throws IOException {
    directory = temporary;
    world = new World(directory.resolve("data"));
    Files.writeString(directory.resolve("secret"), SECRET + "\n");
  }

  @AfterAll
  void stop() {
    world.close();
  }

  @BeforeEach
  void begin() {
    rig = world.rig(Map.of());
  }

  /// What a webhook got.
  private record Got(String path, String signature, String id, String body) {}

  /// A web server that answers with one status.
  private static final class Hook implements AutoCloseable {
    final List<Got> got = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    Hook(int port, int status, String location) throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
      server.createContext(
          "/",
          exchange -> {
            String body =
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            got.add(
                new Got(
                    exchange.getRequestURI().getPath(),
                    exchange.getRequestHeaders().getFirst(WebhookChannel.SIGNATURE),
                    exchange.getRequestHeaders().getFirst(WebhookChannel.NOTICE),
                    body));
            if (!location.isEmpty()) {
              exchange.getResponseHeaders().set("Location", location);
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
          });
      server.start();
    }

    Hook(int status) throws IOException {
      this(0, status, "");
    }

    int port() {
      return server.getAddress().getPort();
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  private AlarmSettings.Webhook settings(String name, int port) {
    return new AlarmSettings.Webhook(
        name,
        URI.create("http://127.0.0.1:" + port + "/hook"),
        directory.resolve("secret"),
        Optional.empty(),
        AlarmSettings.Least.LOW);
  }

  private Courier courier(String name, int port) {
    return rig.courier(new WebhookChannel(settings(name, port), world.clock));
  }

  private void raise(String subject) {
    world
        .postgres
        .database()
        .run(
            tx ->
                new AlarmTable()
                    .raise(tx, AlarmKind.TOKEN_REUSED, subject, "a test", world.clock.instant()));
  }

  private long waiting(String channel) {
    return world.postgres.number(
        "select count(*) as n from alarm_notices where channel = 'webhook " + channel + "'");
  }

  @Test
  void aWebhookGetsWhatHappenedSignedWithItsSecret() throws Exception {
    try (var hook = new Hook(204);
        Courier courier = courier("one", hook.port())) {
      courier.start();
      raise("press-1");
      rig.announcer(courier).announce();
      World.await(() -> hook.got.size() == 1 && waiting("one") == 0);

      Got got = hook.got.getFirst();
      assertThat(got.path()).isEqualTo("/hook");
      var change = new JsonObject(got.body()).getJsonArray("changes").getJsonObject(0);
      assertThat(change.getString("change")).isEqualTo("raised");
      assertThat(change.getJsonObject("alarm").getString("kind")).isEqualTo("token-reused");
      long seconds = world.clock.instant().getEpochSecond();
      assertThat(got.signature())
          .isEqualTo("t=" + seconds + ",v1=" + hmac(seconds + "." + got.body()));
    }
  }

  private static String hmac(String text) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
    return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aWebhookThatHangsIsCutAndNobodyElseIsSlowed() throws Exception {
    try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        var hook = new Hook(200);
        Courier hanging = courier("one", silent.getLocalPort());
        Courier other = courier("two", hook.port())) {
      hanging.start();
      other.start();
      long began = System.nanoTime();
      raise("press-1");
      rig.announcer(hanging, other).announce();
      // It takes the connection and says nothing.
      Socket taken = silent.accept();

      World.await(() -> hook.got.size() == 1);
      raise("press-2");
      rig.announcer(hanging, other).announce();
      World.await(() -> hook.got.size() == 2);
      rig.look();
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      assertThat(took).as("well before the other's 5 s").isLessThan(Duration.ofMillis(4_500));

      World.await(() -> error("one").equals("no answer within 5 s"));
      assertThat(taken.getInputStream().readAllBytes()).as("and then it ends").isNotEmpty();
      assertThat(waiting("one")).isEqualTo(2);
      taken.close();
    }
  }

  @Test
  void aWebhookThatDripsItsAnswerIsCut() throws Exception {
    try (var dripping = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        var channel = new WebhookChannel(settings("one", dripping.getLocalPort()), world.clock)) {
      Thread.ofVirtual().start(() -> drip(dripping));

      long began = System.nanoTime();
      assertThat(channel.send("1", new JsonObject()))
          .isEqualTo(new Channel.Outcome.Failed("no answer within 5 s"));

      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(7));
    }
  }

  /// A head, and then a body without end.
  private static void drip(ServerSocket server) {
    try (Socket socket = server.accept()) {
      var out = socket.getOutputStream();
      out.write(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      while (true) {
        out.write("1\r\nx\r\n".getBytes(StandardCharsets.US_ASCII));
        out.flush();
        java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      }
    } catch (IOException over) {
      assertThat(over).isNotNull();
    }
  }

  private String error(String channel) {
    return world
        .postgres
        .database()
        .transaction(
            tx ->
                new io.penstock.broker.store.AlarmCauseTable()
                    .stuckChannels(tx, 1).stream()
                        .filter(it -> it.channel().equals("webhook " + channel))
                        .map(io.penstock.broker.store.AlarmCauseTable.Stuck::error)
                        .findFirst()
                        .orElse(""));
  }

  @Test
  void aRedirectIsNotFollowed() throws Exception {
    try (var elsewhere = new Hook(200);
        var hook = new Hook(0, 302, "http://127.0.0.1:" + elsewhere.port() + "/stolen");
        var channel = new WebhookChannel(settings("one", hook.port()), world.clock)) {
      assertThat(channel.send("1", new JsonObject()))
          .isEqualTo(new Channel.Outcome.Failed("answered with status 302"));
      assertThat(elsewhere.got).isEmpty();
    }
  }

  @Test
  void whatAWebhookWasDownForArrivesInOrderAfterARestart() throws Exception {
    int port = freePort();
    try (Courier before = courier("one", port)) {
      before.start();
      raise("press-1");
      raise("press-2");
      rig.announcer(before).announce();
      raise("press-3");
      rig.announcer(before).announce();
      World.await(() -> error("one").equals("ConnectException"));
    }
    assertThat(waiting("one")).isEqualTo(2);

    world.pass(Duration.ofMinutes(5));
    try (var hook = new Hook(port, 200, "");
        Courier after = courier("one", port)) {
      after.start();
      World.await(() -> waiting("one") == 0);

      assertThat(hook.got.stream().flatMap(it -> subjects(it.body()).stream()))
          .containsExactly("press-1", "press-2", "press-3");
    }
  }

  private static List<String> subjects(String body) {
    return new JsonObject(body)
        .getJsonArray("changes").stream()
            .map(JsonObject.class::cast)
            .map(change -> change.getJsonObject("alarm").getString("subject"))
            .toList();
  }

  private static int freePort() throws IOException {
    try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  @Test
  void aChannelThatStaysDownIsAnAlarmUntilItIsBack() {
    var channel = new CollectingChannel("webhook one");
    channel.failing = true;
    raise("press-1");
    try (Courier courier = rig.courier(channel)) {
      rig.announcer(courier).announce();
      courier.start();
      for (int attempts = 1; attempts <= Courier.STUCK_ATTEMPTS; attempts++) {
        int soFar = attempts;
        World.await(() -> attempts() == soFar);
        if (attempts < Courier.STUCK_ATTEMPTS) {
          rig.look();
          assertThat(rig.standing()).containsExactly("token-reused press-1");
          world.pass(Duration.ofMinutes(1));
          courier.wake();
        }
      }
      rig.look();
      assertThat(rig.standing()).contains("notices-undelivered channel webhook one");
      assertThat(rig.all().getLast().message()).contains("the last: down for a test");

      channel.failing = false;
      world.pass(Duration.ofMinutes(5));
      courier.wake();
      World.await(() -> waiting("one") == 0);
    }
    rig.look();
    world.pass(Duration.ofMinutes(1));
    rig.look();
    assertThat(rig.standing()).containsExactly("token-reused press-1");
  }

  /// Of which the last is over: while one is under way, nobody else may try for a minute.
  private long attempts() {
    return world.postgres.number(
        "select coalesce(max(attempts) filter (where last_error is not null and due_at <"
            + " timestamptz '"
            + world.clock.instant().plusSeconds(30)
            + "'), 0) as n from alarm_notices");
  }

  @Test
  void theMomentsBetweenAttemptsGrowToFiveMinutes() {
    assertThat(Courier.pauseAfter(1)).isEqualTo(Duration.ofSeconds(1));
    assertThat(Courier.pauseAfter(2)).isEqualTo(Duration.ofSeconds(2));
    assertThat(Courier.pauseAfter(9)).isEqualTo(Duration.ofSeconds(256));
    assertThat(Courier.pauseAfter(10)).isEqualTo(Duration.ofMinutes(5));
    assertThat(Courier.pauseAfter(Courier.MAX_ATTEMPTS)).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void anUrgentNoticeArrivesWithoutPostgres() {
    var channel = new CollectingChannel("webhook one");
    world.breakable.cut();
    try (Courier courier = rig.courier(channel)) {
      courier.start();
      courier.tell(
          NoticeBody.urgent(
              "b", AlarmKind.DATABASE_AWAY, "node broker-1", "away", world.clock.instant()));

      World.await(() -> channel.got.size() == 1);
    } finally {
      world.breakable.mend();
    }
  }

  @Test
  void aSecretThatIsTooShortIsRefusedWithoutBeingShown() throws Exception {
    Path file = Files.writeString(directory.resolve("short"), "geheim");
    var settings =
        new AlarmSettings.Webhook(
            "one",
            URI.create("https://hooks.example.org/geheimer-pfad"),
            file,
            Optional.empty(),
            AlarmSettings.Least.LOW);

    assertThatThrownBy(() -> new WebhookChannel(settings, world.clock))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("alarms.webhooks.one.secret_file: expected one line of at least 16")
        .hasMessageNotContaining("geheim\n");
    assertThat(settings.toString()).isEqualTo("Webhook[one]");
  }
}
