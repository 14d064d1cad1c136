package io.penstock.broker.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads llhttp's test cases: Markdown in which a `<!-- meta={...} -->` comment is followed by a
/// fenced `http` block. The block's line ends stand for CRLF, a backslash at the end of a line
/// joins it to the next, and `\r`, `\n`, `\t`, `\f`, `\x..` stand for bytes.
final class StrictLlhttpCases {

  /// One case; `name` is its file and running number with the heading above it.
  record Case(String name, String latin1) {
    byte[] bytes() {
      return latin1.getBytes(ISO_8859_1);
    }
  }

  private static final Pattern HEADING_OR_BLOCK =
      Pattern.compile(
          "^#+ (.*)$|<!-- *meta=\\{[^}]*} *-->\\s*```http\\n(.*?)\\n?```",
          Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern HEXADECIMAL = Pattern.compile("\\\\x([0-9a-fA-F]+)");

  private StrictLlhttpCases() {}

  static List<Case> read(String directory, List<String> files) {
    List<Case> cases = new ArrayList<>();
    for (String file : files) {
      cases.addAll(readFile(directory + file + ".md", file));
    }
    return cases;
  }

  private static List<Case> readFile(String resource, String file) {
    List<Case> cases = new ArrayList<>();
    String heading = "";
    // `.` spans lines in a block, so a heading is cut at its own end.
    Matcher matcher = HEADING_OR_BLOCK.matcher(text(resource));
    int from = 0;
    while (matcher.find(from)) {
      if (matcher.group(2) == null) {
        String line = matcher.group(1).lines().findFirst().orElse("");
        heading = line;
        from = matcher.start(1) + line.length();
      } else {
        String name = "%s %02d %s".formatted(file, cases.size() + 1, heading);
        cases.add(
            new Case(name, new String(unescape(matcher.group(2)).getBytes(UTF_8), ISO_8859_1)));
        from = matcher.end();
      }
    }
    return cases;
  }

  private static String unescape(String block) {
    String joined = block.replaceAll("\\\\\n", "").replace("\n", "\r\n");
    String plain =
        joined.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace("\\f", "\f");
    return HEXADECIMAL
        .matcher(plain)
        .replaceAll(
            hex ->
                Matcher.quoteReplacement(
                    String.valueOf((char) Integer.parseInt(hex.group(1), 16))));
  }

  static String text(String resource) {
    try (InputStream in = StrictLlhttpCases.class.getResourceAsStream(resource)) {
      return new String(Objects.requireNonNull(in, resource).readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
