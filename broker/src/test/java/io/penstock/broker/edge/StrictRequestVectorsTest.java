package io.penstock.broker.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.broker.edge.StrictLlhttpCases.Case;
import io.penstock.broker.edge.StrictSecondReaders.Reading;
import io.penstock.broker.edge.StrictTranscript.Accepted;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Published cases of HTTP/1.1 parsing and request smuggling. Each has its verdict in a file; and
/// whatever is accepted, [StrictSecondReaders] must all read in the very same way.
class StrictRequestVectorsTest {

  private static final List<String> FILES =
      List.of(
          "connection",
          "content-length",
          "finish",
          "invalid",
          "lenient-header-value-relaxed",
          "lenient-headers",
          "lenient-version",
          "method",
          "pausing",
          "pipelining",
          "sample",
          "transfer-encoding",
          "uri");

  private static final int GADGETS = 1634;

  @Test
  void judgesEveryLlhttpRequestAsListed() {
    List<String> lines = new ArrayList<>();
    for (Case request : llhttp()) {
      lines.add(request.name() + "\t" + judge(request.name(), request.bytes()));
      byte[] hosted = withHost(request);
      lines.add(request.name() + ", with Host\t" + judge(request.name(), hosted));
    }

    StrictVerdicts.compare("verdicts-llhttp.tsv", lines);
  }

  @Test
  void judgesEverySmugglingGadgetAsListed() throws Exception {
    List<String> lines = new ArrayList<>();
    for (var gadget : gadgets()) {
      String name = gadget.name();
      String lengthWins =
          judge(name, smuggle(gadget.latin1(), "Content-Length: 6\r\n", "0\r\n\r\nX"));
      String chunksWin =
          judge(name, smuggle(gadget.latin1(), "Content-Length: 4\r\n", "1\r\nZ\r\nQ\r\n\r\n"));
      String alone = judge(name, smuggle(gadget.latin1(), "", "1\r\nZ\r\n0\r\n\r\n"));
      lines.add(String.join("\t", name, lengthWins, chunksWin, alone));
    }

    assertThat(lines).hasSize(GADGETS);
    StrictVerdicts.compare("verdicts-smuggler.tsv", lines);
  }

  @Test
  void framesNoGadgetBesideAContentLengthByChunks() throws Exception {
    for (var gadget : gadgets()) {
      byte[] bytes = smuggle(gadget.latin1(), "Content-Length: 6\r\n", "0\r\n\r\nX");

      for (Accepted request : StrictTranscript.ofSingleBytes(bytes).accepted()) {
        assertThat(request.framing()).as(gadget.name()).isEqualTo("length=6");
      }
    }
  }

  /// The second readers are worth nothing if they agree on everything.
  @Test
  void secondReadersPartOnMostGadgets() throws Exception {
    List<Case> gadgets = gadgets();
    int tried = 0;
    int parted = 0;
    for (int i = 0; i < gadgets.size(); i += 10) {
      byte[] bytes = smuggle(gadgets.get(i).latin1(), "Content-Length: 6\r\n", "0\r\n\r\nX");
      parted += StrictSecondReaders.readings(bytes, 0).size() > 1 ? 1 : 0;
      tried++;
    }

    assertThat(parted).isGreaterThan(tried / 2);
  }

  /// The verdict; of whatever is accepted, after it was held against the second readers and every
  /// way to cut the bytes in two.
  private static String judge(String name, byte[] bytes) {
    StrictTranscript whole = StrictTranscript.ofSplit(bytes, 0);
    if (whole.accepted().isEmpty()) {
      return whole.verdict();
    }
    StrictTranscript transcript = StrictTranscript.ofSingleBytes(bytes);
    assertHasOneReading(name, bytes, transcript);
    for (int at = 0; at < bytes.length; at++) {
      assertThat(StrictTranscript.ofSplit(bytes, at).verdict())
          .as("%s cut at %d", name, at)
          .isEqualTo(transcript.verdict());
    }
    return transcript.verdict();
  }

  /// Each request that was read to its end, and the last one if nothing speaks against it so far.
  static void assertHasOneReading(String name, byte[] bytes, StrictTranscript transcript) {
    for (Accepted request : transcript.accepted()) {
      if (request.end() >= 0 || !transcript.isRefused()) {
        assertHasOneReading(name, bytes, request);
      }
    }
  }

  private static void assertHasOneReading(String name, byte[] bytes, Accepted request) {
    Set<Reading> readings = StrictSecondReaders.readings(bytes, request.start());

    String host = request.host().toLowerCase(Locale.ROOT);
    assertThat(readings)
        .as(name)
        .containsExactly(
            new Reading(request.method(), request.target(), Set.of(host), request.end()));
  }

  private static List<Case> llhttp() {
    return StrictLlhttpCases.read("/http1/llhttp/request/", FILES);
  }

  /// Most of llhttp's requests have no Host and would all fall for that alone.
  private static byte[] withHost(Case request) {
    String text = request.latin1();
    if (text.toLowerCase(Locale.ROOT).contains("\nhost:")) {
      return request.bytes();
    }
    return text.replaceFirst("\r\n(?!\r?\n?[A-Z]+ )", "\r\nHost: a.example\r\n")
        .getBytes(ISO_8859_1);
  }

  /// As the tool sends them: the gadget is the first field.
  private static byte[] smuggle(String gadget, String length, String body) {
    String text =
        "POST /a HTTP/1.1\r\n"
            + gadget
            + "\r\n"
            + "Host: a.example\r\n"
            + "User-Agent: x\r\n"
            + "Content-type: application/x-www-form-urlencoded\r\n"
            + length
            + "\r\n"
            + body;
    return text.getBytes(ISO_8859_1);
  }

  private static List<Case> gadgets() throws JsonProcessingException {
    JsonNode root =
        new ObjectMapper().readTree(StrictLlhttpCases.text("/http1/smuggler/te-gadgets.json"));
    List<Case> gadgets = new ArrayList<>();
    root.get("gadgets")
        .properties()
        .forEach(
            entry ->
                gadgets.add(
                    new Case(
                        entry.getKey(),
                        new String(
                            HexFormat.of().parseHex(entry.getValue().asText()), ISO_8859_1))));
    return gadgets;
  }
}
