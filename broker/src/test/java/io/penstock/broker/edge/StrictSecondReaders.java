package io.penstock.broker.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// Parsers as they are found behind gateways: every combination of the leniencies that smuggling
/// lives on. Written without a look at the gate. Where all of them read a request alike, nothing
/// can be smuggled between any two of them.
final class StrictSecondReaders {

  enum LineEnd {
    CRLF,
    LF,
    CR_OR_LF
  }

  enum Names {
    EXACT,
    /// Blanks and control characters around a name do not count.
    TRIMMED,
    /// As in the environment of a CGI: punctuation is punctuation.
    AS_VARIABLE
  }

  enum Coding {
    EXACT,
    /// Any value that mentions it.
    CONTAINS,
    /// Any non-empty prefix of it.
    PREFIX,
    LAST_OF_LIST
  }

  enum Precedence {
    CODING_FIRST,
    LENGTH_FIRST
  }

  enum Which {
    FIRST_FIELD,
    LAST_FIELD
  }

  /// One of them.
  record Reader(LineEnd lineEnd, Names names, Coding coding, Precedence precedence, Which which) {

    /// Reads the request at `from`.
    Reading read(byte[] bytes, int from) {
      return new Pass(this, new String(bytes, ISO_8859_1), from).read();
    }
  }

  /// What a reader saw; `end` is -1 where it waits for more.
  record Reading(String method, String target, Set<String> hosts, int end) {}

  private static final Pattern PUNCTUATION = Pattern.compile("[^a-z0-9]");
  private static final Pattern BLANKS = Pattern.compile("[ \t]+");

  private static final List<Reader> ALL = all();

  private StrictSecondReaders() {}

  /// The different readings of the request at `from`; one where all readers agree.
  static Set<Reading> readings(byte[] bytes, int from) {
    Set<Reading> readings = new HashSet<>();
    for (Reader reader : ALL) {
      readings.add(reader.read(bytes, from));
    }
    return readings;
  }

  private static List<Reader> all() {
    List<Reader> readers = new ArrayList<>();
    for (LineEnd lineEnd : LineEnd.values()) {
      for (Names names : Names.values()) {
        for (Coding coding : Coding.values()) {
          for (Precedence precedence : Precedence.values()) {
            for (Which which : Which.values()) {
              readers.add(new Reader(lineEnd, names, coding, precedence, which));
            }
          }
        }
      }
    }
    return readers;
  }

  private static final class Pass {
    private final Reader reader;
    private final String text;
    private int at;
    private boolean incomplete;

    private final Set<String> hosts = new HashSet<>();
    private final List<String> lengths = new ArrayList<>();
    private boolean chunked;

    Pass(Reader reader, String text, int from) {
      this.reader = reader;
      this.text = text;
      this.at = from;
    }

    Reading read() {
      String line = line();
      while (line.isEmpty() && !incomplete) {
        line = line();
      }
      String[] words = BLANKS.split(line.strip(), -1);
      readFields();
      int end = incomplete ? -1 : bodyEnd();
      return new Reading(words[0], words.length > 1 ? words[1] : "", hosts, end);
    }

    private void readFields() {
      String previous = "";
      for (String line = line(); !line.isEmpty() && !incomplete; line = line()) {
        boolean continued =
            !previous.isEmpty() && (line.charAt(0) == ' ' || line.charAt(0) == '\t');
        String whole = continued ? previous + " " + line.strip() : line;
        readField(whole);
        previous = whole;
      }
    }

    private void readField(String line) {
      int colon = line.indexOf(':');
      if (colon < 0) {
        return;
      }
      String value = trim(line.substring(colon + 1));
      switch (name(line.substring(0, colon))) {
        case "host" -> hosts.add(value.toLowerCase(Locale.ROOT));
        case "content-length" -> lengths.add(value);
        case "transfer-encoding" -> chunked |= isChunked(value.toLowerCase(Locale.ROOT));
        default -> {}
      }
    }

    private String name(String name) {
      String lower = name.toLowerCase(Locale.ROOT);
      return switch (reader.names) {
        case EXACT -> lower;
        case TRIMMED -> trim(lower);
        case AS_VARIABLE -> PUNCTUATION.matcher(trim(lower)).replaceAll("-");
      };
    }

    /// Takes blanks, control and non-ASCII characters off both ends.
    private static String trim(String text) {
      int from = 0;
      int to = text.length();
      while (from < to && isNoise(text.charAt(from))) {
        from++;
      }
      while (to > from && isNoise(text.charAt(to - 1))) {
        to--;
      }
      return text.substring(from, to);
    }

    private static boolean isNoise(char c) {
      return c <= ' ' || c >= 0x7f;
    }

    private boolean isChunked(String value) {
      return switch (reader.coding) {
        case EXACT -> value.equals("chunked");
        case CONTAINS -> value.contains("chunked");
        case PREFIX -> !value.isEmpty() && "chunked".startsWith(value);
        case LAST_OF_LIST -> trim(value.substring(value.lastIndexOf(',') + 1)).equals("chunked");
      };
    }

    private int bodyEnd() {
      boolean asChunks =
          chunked && (reader.precedence == Precedence.CODING_FIRST || lengths.isEmpty());
      if (asChunks) {
        return chunksEnd();
      }
      if (lengths.isEmpty()) {
        return at;
      }
      String digits = reader.which == Which.FIRST_FIELD ? lengths.getFirst() : lengths.getLast();
      long end = at + number(digits, 10);
      return end > text.length() ? -1 : (int) end;
    }

    /// As `strtoul` reads: blanks, a sign, digits as far as they go; base 10 with a leading zero is
    /// octal to some.
    private static long number(String text, int radix) {
      String digits = text.strip().replaceFirst("^\\+", "");
      int effective = radix == 10 && digits.length() > 1 && digits.startsWith("0") ? 8 : radix;
      long number = 0;
      for (int i = 0; i < digits.length(); i++) {
        int digit = Character.digit(digits.charAt(i), effective);
        if (digit < 0) {
          break;
        }
        number = number * effective + digit;
      }
      return number;
    }

    private int chunksEnd() {
      while (!incomplete) {
        long size = number(line(), 16);
        if (incomplete) {
          return -1;
        }
        if (size == 0) {
          return trailersEnd();
        }
        if (size > text.length() - at) {
          return -1;
        }
        at += (int) size;
        line();
      }
      return -1;
    }

    private int trailersEnd() {
      String line = line();
      while (!line.isEmpty() && !incomplete) {
        line = line();
      }
      return incomplete ? -1 : at;
    }

    /// The next line without its end; `incomplete` if it has none.
    private String line() {
      int end = at;
      while (end < text.length() && !isLineEnd(end)) {
        end++;
      }
      if (end >= text.length()) {
        incomplete = true;
        return "";
      }
      String line = text.substring(at, end);
      at = end + (text.startsWith("\r\n", end) ? 2 : 1);
      return line;
    }

    private boolean isLineEnd(int at) {
      return switch (reader.lineEnd) {
        case CRLF -> text.startsWith("\r\n", at);
        case LF -> text.charAt(at) == '\n' || text.startsWith("\r\n", at);
        // A carriage return that is the last byte may yet turn out to be half of a CRLF.
        case CR_OR_LF ->
            text.charAt(at) == '\n' || (text.charAt(at) == '\r' && at + 1 < text.length());
      };
    }
  }
}
