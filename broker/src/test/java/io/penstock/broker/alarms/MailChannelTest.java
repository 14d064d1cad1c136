package io.penstock.broker.alarms;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.config.AlarmSettings;
import io.penstock.broker.config.AlarmSettings.Security;
import io.penstock.broker.keys.DevelopmentTls;
import io.penstock.broker.store.AlarmKind;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.subethamail.smtp.auth.EasyAuthenticationHandlerFactory;
import org.subethamail.smtp.auth.LoginFailedException;
import org.subethamail.smtp.helper.SimpleMessageListener;
import org.subethamail.smtp.helper.SimpleMessageListenerAdapter;
import org.subethamail.smtp.server.SMTPServer;

/// Mail to a real SMTP server, over STARTTLS with a certificate of a CA of our own.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MailChannelTest {
  private World world;
  private Path directory;
  private DevelopmentTls tls;

  /// What the server got.
  private record Got(String from, String to, String text, boolean encrypted) {}

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    directory = temporary;
    world = new World(directory.resolve("data"));
    tls = DevelopmentTls.open(world.data, world.keys.kek(), List.of(), world.realClock());
    Files.writeString(directory.resolve("password"), "correct horse\n");
  }

  @AfterAll
  void stop() {
    world.close();
  }
}
