package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Requests whose framing two parsers could read differently, raw against the public port with a
/// token that is good: what the list of verdicts refuses never reaches the system behind.
@Timeout(900)
class SmugglingIT {
  private static final int EVERY = 12;
  private static final int ANSWER_MS = 20_000;
  private static final String CASES = "broker/src/test/resources/http1";
  private static final String REFUSED = "HTTP/1.1 400 ";

  /// What stands between the fields and the end, in the order of the columns of the list.
  private record Variant(String length, String body) {}

  private static final List<Variant> VARIANTS =
      List.of(
          new Variant("Content-Length: 6\r\n", "0\r\n\r\nX"),
          new Variant("Content-Length: 4\r\n", "1\r\nZ\r\nQ\r\n\r\n"),
          new Variant("", "1\r\nZ\r\n0\r\n\r\n"));

  @TempDir static Path directory;
  private static Plant plant;
  private static SSLSocketFactory sockets;

  @BeforeAll
  static void openPlant() throws Exception {
    plant = Plant.open(directory);
    plant.enroll();
    sockets = trusting(plant.caFile());
    assertReachesItWithoutAGadget(plant, sockets);
  }

  @AfterAll
  static void closePlant() {
    plant.close();
  }

  @Test
  void whatTheVerdictsRefuseNeverReachesTheSystem() throws Exception {
    sendGadgets(EVERY);
  }

  @Test
  @Tag("slow")
  void noGadgetThatTheVerdictsRefuseReachesTheSystem() throws Exception {
    sendGadgets(1);
  }

  /// Each as it is but for its target, which is put where the system would count it, unless the
  /// target is what is wrong with it.
  @Test
  void noRequestOfLlhttpThatTheVerdictsRefuseReachesTheSystem() throws Exception {
    List<LlhttpCases.Case> cases = LlhttpCases.read(Home.find().root().resolve(CASES));
    List<String> wrong = new ArrayList<>();
    int refused = 0;
    long accepted = 0;
    long before = plant.erp().visits().requests();
    for (LlhttpCases.Case one : cases) {
      if (one.isRefused()) {
        refused++;
        String seen = send(plant, sockets, aimed(plant, one, "llhttp-" + refused));
        if (!seen.startsWith("HTTP/1.1 " + one.status() + " ")) {
          wrong.add(one.name() + ", " + one.verdict() + ", was answered " + seen);
        }
      }
    }
    assertThat(plant.erp().visits().requests()).isEqualTo(before);
    for (LlhttpCases.Case one : cases) {
      if (one.accepted() > 0) {
        accepted += one.accepted();
        send(plant, sockets, aimed(plant, one, "accepted"));
      }
    }
    assertThat(plant.erp().visits().requests() - before).isBetween(1L, accepted);
    assertThat(plant.serves()).isTrue();
    System.out.println(refused + " requests of llhttp refused");
    assertThat(refused).isGreaterThan(70);
    assertThat(wrong).isEmpty();
  }

  private static String aimed(Plant plant, LlhttpCases.Case one, String key) {
    boolean targetIsWrong =
        one.verdict().contains("TARGET") || one.verdict().contains("OTHER_AUTHORITY");
    String text =
        targetIsWrong
            ? one.latin1()
            : one.latin1()
                .replaceFirst(
                    "^(\\r\n)?([!-~]+) [!-~]+ ",
                    "$1$2 /invoke" + Plant.SYSTEM_PATH + "/touch/" + key + " ");
    boolean hasHost = text.toLowerCase(Locale.ROOT).contains("\nhost:");
    String fields =
        (hasHost ? "" : "Host: localhost:" + plant.port() + "\r\n")
            + "Authorization: Bearer "
            + plant.serviceToken()
            + "\r\n";
    return text.replaceFirst("\r\n(?!\r?\n?[A-Z]+ )", "\r\n" + Matcher.quoteReplacement(fields));
  }

  private void sendGadgets(int every) throws Exception {
    Path cases = Home.find().root().resolve(CASES);
    List<String> verdicts = Files.readAllLines(cases.resolve("verdicts-smuggler.tsv"));
    var gadgets =
        JsonMapper.builder()
            .build()
            .readTree(cases.resolve("smuggler/te-gadgets.json").toFile())
            .path("gadgets");
    assertThat(verdicts).hasSize(gadgets.size());

    List<String> wrong = new ArrayList<>();
    int refused = 0;
    for (int i = 0; i < verdicts.size(); i += every) {
      String[] columns = verdicts.get(i).split("\t", -1);
      String gadget = latin(HexFormat.of().parseHex(gadgets.path(columns[0]).asText()));
      for (int variant = 0; variant < VARIANTS.size(); variant++) {
        if (columns[variant + 1].startsWith("refuse")) {
          refused++;
          String seen = send(plant, sockets, gadget, VARIANTS.get(variant), "case-" + refused);
          if (!seen.startsWith(REFUSED)) {
            wrong.add(columns[0] + " " + variant + " was answered " + seen);
          }
        }
      }
    }
    assertThat(plant.serves()).isTrue();
    for (int i = 1; i <= refused; i++) {
      assertThat(plant.erp().visits().touched("case-" + i)).as("case %d", i).isZero();
    }
    System.out.println(refused + " requests refused");
    assertThat(refused).isGreaterThan(100);
    assertThat(wrong).isEmpty();
  }

  private static void assertReachesItWithoutAGadget(Plant plant, SSLSocketFactory sockets)
      throws IOException {
    assertThat(send(plant, sockets, "X-Plain: 1", VARIANTS.getFirst(), "plain"))
        .startsWith("HTTP/1.1 200 ");
    assertThat(plant.erp().visits().touched("plain")).isEqualTo(1);
  }

  private static String send(
      Plant plant, SSLSocketFactory sockets, String gadget, Variant variant, String key)
      throws IOException {
    String request =
        "POST /invoke"
            + Plant.SYSTEM_PATH
            + "/touch/"
            + key
            + " HTTP/1.1\r\n"
            + gadget
            + "\r\n"
            + "Host: localhost:"
            + plant.port()
            + "\r\n"
            + "Authorization: Bearer "
            + plant.serviceToken()
            + "\r\n"
            + "Content-type: application/x-www-form-urlencoded\r\n"
            + variant.length()
            + "\r\n"
            + variant.body();
    return send(plant, sockets, request);
  }

  private static String send(Plant plant, SSLSocketFactory sockets, String request)
      throws IOException {
    try (Socket socket = sockets.createSocket("localhost", plant.port())) {
      socket.setSoTimeout(ANSWER_MS);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return statusLine(socket.getInputStream());
    } catch (SocketException cut) {
      return "nothing, the connection was cut";
    } catch (SocketTimeoutException silent) {
      return "nothing";
    }
  }

  private static String statusLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next >= 0 && next != '\r'; next = in.read()) {
      line.append((char) next);
    }
    return line.toString();
  }

  static SSLSocketFactory trusting(Path caFile) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(caFile)) {
      store.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context.getSocketFactory();
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
