package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.alarms.Channel.Outcome;
import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.config.AlarmSettings.Security;
import io.penstock.broker.keys.DevelopmentTls;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.subethamail.smtp.auth.EasyAuthenticationHandlerFactory;
import org.subethamail.smtp.auth.LoginFailedException;
import org.subethamail.smtp.helper.SimpleMessageListener;
import org.subethamail.smtp.server.SMTPServer;

/// Mail to a real SMTP server, with a certificate of a CA of our own.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MailChannelTest {
  private final List<Got> got = new CopyOnWriteArrayList<>();
  private World world;
  private Path directory;
  private SSLContext tls;
  private SMTPServer server;
  private SMTPServer plain;

  /// A mail that the server took.
  private record Got(String from, String to, String text) {}

  private record Keeping(List<Got> got) implements SimpleMessageListener {
    @Override
    public boolean accept(String from, String recipient) {
      return true;
    }

    @Override
    public void deliver(String from, String recipient, InputStream data) throws IOException {
      got.add(new Got(from, recipient, new String(data.readAllBytes(), StandardCharsets.UTF_8)));
    }
  }

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    world = new World(directory.resolve("data"));
    tls = context();
    Files.writeString(directory.resolve("password"), "correct horse\n");
    Files.writeString(directory.resolve("wrong"), "wrong horse\n");
    server =
        listening()
            .enableTLS()
            .requireTLS()
            .requireAuth()
            .startTlsSocketFactory(tls)
            .authenticationHandlerFactory(
                new EasyAuthenticationHandlerFactory(
                    (user, password, _) -> {
                      if (!user.equals("penstock") || !password.equals("correct horse")) {
                        throw new LoginFailedException();
                      }
                    }))
            .build();
    server.start();
    plain = listening().build();
    plain.start();
  }

  private SMTPServer.Builder listening() {
    return SMTPServer.port(0)
        .bindAddress(InetAddress.getLoopbackAddress())
        .simpleMessageListener(new Keeping(got));
  }

  private SSLContext context() throws Exception {
    DevelopmentTls made =
        DevelopmentTls.open(world.data, world.keys.kek(), List.of(), Clock.systemUTC());
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry(
        "server", made.serverKey(), new char[0], made.chain().toArray(Certificate[]::new));
    var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  @AfterAll
  void stop() {
    server.stop();
    plain.stop();
    world.close();
  }

  @BeforeEach
  void begin() {
    got.clear();
  }

  private MailChannel channel(int port, Security security, String password, boolean ourCa) {
    return new MailChannel(
        world.postgres.vertx(),
        new AlarmSettings.Mail(
            "localhost",
            port,
            security,
            Optional.of(password)
                .filter(file -> !file.isEmpty())
                .map(file -> new AlarmSettings.SignIn("penstock", directory.resolve(file))),
            ourCa ? Optional.of(world.data.resolve("ca.pem")) : Optional.empty(),
            "penstock@example.com",
            List.of("ops@example.com", "night@example.com"),
            AlarmSettings.Least.LOW));
  }

  private JsonObject notice() {
    return NoticeBody.urgent(
        "https://broker.example.org",
        AlarmKind.DATABASE_AWAY,
        "node broker-1",
        "Postgres has not answered for 30 s",
        world.clock.instant());
  }

  @Test
  void anAlarmArrivesAtEveryRecipientOverStarttls() {
    AlarmRig rig = world.rig(Map.of());
    try (Courier courier =
        rig.courier(channel(server.getPortAllocated(), Security.STARTTLS, "password", true))) {
      world
          .postgres
          .database()
          .run(
              tx ->
                  new AlarmTable()
                      .raise(
                          tx,
                          AlarmKind.AGENT_CLONED,
                          "press-1",
                          "two of it",
                          world.clock.instant()));
      rig.announcer(courier).announce();
      courier.start();

      World.await(() -> got.size() == 2);
      World.await(() -> world.postgres.number("select count(*) as n from alarm_notices") == 0);
    }
    assertThat(got)
        .extracting(Got::to)
        .containsExactlyInAnyOrder("ops@example.com", "night@example.com");
    assertThat(got.getFirst().from()).isEqualTo("penstock@example.com");
    assertThat(got.getFirst().text().replace("=\r\n", ""))
        .contains("Subject: Penstock: raised, critical: Two processes use one agent's secret")
        .contains("about: press-1", "message: two of it", "next: Find the copy of its disk.")
        .doesNotContain("correct horse");
  }

  @Test
  void aServerWithoutStarttlsGetsNothing() {
    Outcome outcome =
        channel(plain.getPortAllocated(), Security.STARTTLS, "", true).send("1", notice());

    assertThat(outcome).isInstanceOf(Outcome.Failed.class);
    assertThat(got).isEmpty();
  }

  @Test
  void toThisMachineItGoesWithoutWhereTheOwnerSaysSo() {
    Outcome outcome =
        channel(plain.getPortAllocated(), Security.NONE, "", true).send("1", notice());

    assertThat(outcome).isEqualTo(new Outcome.Arrived());
    assertThat(got).hasSize(2);
  }

  @Test
  void aServerWithACertificateOfAStrangerGetsNothing() {
    Outcome outcome =
        channel(server.getPortAllocated(), Security.STARTTLS, "password", false)
            .send("1", notice());

    assertThat(outcome).isInstanceOf(Outcome.Failed.class);
    assertThat(got).isEmpty();
  }

  @Test
  void aWrongPasswordIsToldByTheServersNumber() {
    Outcome outcome =
        channel(server.getPortAllocated(), Security.STARTTLS, "wrong", true).send("1", notice());

    assertThat(outcome).isEqualTo(new Outcome.Failed("the mail server answered 535"));
  }

  @Test
  void aServerThatHangsIsCut() throws IOException {
    try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      long began = System.nanoTime();

      Outcome outcome =
          channel(silent.getLocalPort(), Security.STARTTLS, "", true).send("1", notice());

      assertThat(outcome).isEqualTo(new Outcome.Failed("no answer within 15 s"));
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(20));
    }
  }
}
