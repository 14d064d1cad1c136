package io.penstock.loadtest.fault;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// llhttp's requests, each with the broker's verdict on it once it has a Host. The list of verdicts
/// names them; their text is a `http` block in a Markdown file, below a heading, in which line ends
/// stand for CRLF, a backslash at the end joins two lines, and `\r`, `\n`, `\t`, `\f`, `\x..` are
/// bytes.
final class LlhttpCases {
  private static final String HOSTED = ", with Host";
  private static final Pattern HEADING_OR_BLOCK =
      Pattern.compile(
          "^#+ (.*)$|<!-- *meta=\\{[^}]*} *-->\\s*```http\\n(.*?)\\n?```",
          Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern HEXADECIMAL = Pattern.compile("\\\\x([0-9a-fA-F]+)");

  /// @param verdict such as `refuse 400 OBS_FOLD`, or `accept PUT /url none body=0`
  record Case(String name, String latin1, String verdict) {
    boolean isRefused() {
      return verdict.startsWith("refuse ");
    }

    /// The status that a refusal answers.
    String status() {
      return verdict.split(" ", -1)[1];
    }

    long accepted() {
      return Pattern.compile("\\baccept ").matcher(verdict).results().count();
    }
  }

  private LlhttpCases() {}

  /// Of the directory that holds the list and the cases. Fails if the two do not fit.
  static List<Case> read(Path directory) throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    List<Case> cases = new ArrayList<>();
    for (String line : Files.readAllLines(directory.resolve("verdicts-llhttp.tsv"), UTF_8)) {
      String[] columns = line.split("\t", 2);
      if (columns[0].endsWith(HOSTED)) {
        String name = columns[0].substring(0, columns[0].length() - HOSTED.length());
        if (!texts.containsKey(name)) {
          String file = name.replaceFirst(" \\d\\d .*", "");
          texts.putAll(texts(directory.resolve("llhttp/request/" + file + ".md"), file));
        }
        String text = texts.get(name);
        if (text == null) {
          throw new IllegalStateException("the list names a case that is not there: " + name);
        }
        cases.add(new Case(name, text, columns[1]));
      }
    }
    return cases;
  }

  private static Map<String, String> texts(Path markdown, String file) throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    Matcher matcher = HEADING_OR_BLOCK.matcher(Files.readString(markdown, UTF_8));
    String heading = "";
    int from = 0;
    while (matcher.find(from)) {
      if (matcher.group(2) == null) {
        // `.` spans lines in a block, so a heading is cut at its own end.
        heading = matcher.group(1).lines().findFirst().orElse("");
        from = matcher.start(1) + heading.length();
      } else {
        String name = "%s %02d %s".formatted(file, texts.size() + 1, heading);
        texts.put(name, new String(unescape(matcher.group(2)).getBytes(UTF_8), ISO_8859_1));
        from = matcher.end();
      }
    }
    return texts;
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
}
