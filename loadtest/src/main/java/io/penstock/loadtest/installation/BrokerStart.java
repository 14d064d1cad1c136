package io.penstock.loadtest.installation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.fault.PenstockProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;

/// What a broker that was just started says, and when it is ready.
public final class BrokerStart {
  private static final Pattern FIRST_START = Pattern.compile("^\\{.*\"password\".*}$");
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
  private static final int LINES = 25;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private BrokerStart() {}

  /// The first sign-in, which a broker prints once, at its first start.
  public static Credentials firstCredentials(PenstockProcess broker) throws IOException {
    String line = broker.awaitLine(FIRST_START, PATIENCE).group();
    JsonNode first = JSON.readTree(line);
    return new Credentials(
        first.path("user").asText(),
        first.path("password").asText(),
        Path.of(first.path("ca_file").asText()).toAbsolutePath());
  }

  public static void awaitReady(PenstockProcess broker, PublicApi api)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!api.isReady()) {
      if (!broker.isAlive() || System.nanoTime() > end) {
        throw new IOException(
            "the broker is not ready, the end of "
                + broker.log()
                + ":\n"
                + String.join("\n", broker.logTail(LINES)));
      }
      Thread.sleep(LOOK_AGAIN);
    }
  }
}
