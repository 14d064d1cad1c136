package io.penstock.codec.exposure;

import io.penstock.codec.message.ControlMessage.Allow;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What may be invoked on one system: deny by default. Compiled once, immutable, thread-safe;
/// asking makes no objects.
///
/// A method is compared exactly, `*` is any. Paths are patterns ([PathPattern]): `/api/**`, `*`
/// within one segment, or exact; compared with the raw path without its query, case-sensitive. A
/// path that systems read in several ways (dot segments, encoded slashes, `//`) is never allowed.
public final class ExposureRules {
  /// Beyond this many entries a report of narrowed rules is not worth its size.
  private static final int MAX_REPORTED_RULES = 256;

  private static final ExposureRules NOTHING = new ExposureRules(List.of(List.of()));

  /// Each layer must allow: the deployed rules, and a ceiling above them.
  private final List<List<Rule>> layers;

  private ExposureRules(List<List<Rule>> layers) {
    this.layers = layers;
  }

  public static ExposureRules nothing() {
    return NOTHING;
  }

  /// An entry that is malformed exposes nothing; [#problems] names it.
  public static ExposureRules of(List<Allow> allow) {
    return new ExposureRules(List.of(allow.stream().map(Rule::of).toList()));
  }

  /// What is wrong with entries of a configuration file, all at once; empty = nothing.
  public static List<String> problems(List<Allow> allow) {
    var problems = new ArrayList<String>();
    for (Allow entry : allow) {
      entry.methods().stream()
          .filter(method -> !isMethod(method))
          .forEach(method -> problems.add("method '" + method + "': expected a name or *"));
      for (String path : entry.paths()) {
        Optional<String> problem = PathPattern.problem(path);
        problem.ifPresent(text -> problems.add("path '" + path + "': " + text));
      }
      if (entry.methods().isEmpty() || entry.paths().isEmpty()) {
        problems.add("an allow entry needs methods and paths");
      }
    }
    return List.copyOf(problems);
  }

  private static boolean isMethod(String method) {
    boolean name = !method.isEmpty() && method.chars().allMatch(ExposureRules::isMethodCharacter);
    return name || method.equals(Rule.ANY_METHOD);
  }

  private static boolean isMethodCharacter(int c) {
    return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  }

  /// `path` may carry a query, which does not count.
  public boolean allows(CharSequence method, CharSequence path) {
    int end = RawPath.end(path);
    if (!RawPath.isUnambiguous(path, end)) {
      return false;
    }
    for (int i = 0; i < layers.size(); i++) {
      if (!anyAllows(layers.get(i), method, path, end)) {
        return false;
      }
    }
    return true;
  }

  private static boolean anyAllows(
      List<Rule> rules, CharSequence method, CharSequence path, int end) {
    for (int i = 0; i < rules.size(); i++) {
      if (rules.get(i).allows(method, path, end)) {
        return true;
      }
    }
    return false;
  }

  /// What these rules *and* `ceiling` allow; exactly.
  public ExposureRules and(ExposureRules ceiling) {
    var both = new ArrayList<>(layers);
    both.addAll(ceiling.layers);
    return new ExposureRules(List.copyOf(both));
  }

  /// The rules as entries, for EFFECTIVE_RULES. Where two patterns overlap in a way that no pattern
  /// can say, this is the wider one: the broker's early refusal errs on the side of asking, and the
  /// agent decides.
  public List<Allow> toAllow() {
    List<Rule> narrowed = layers.getFirst();
    for (List<Rule> ceiling : layers.subList(1, layers.size())) {
      List<Rule> wider = narrowed;
      if ((long) wider.size() * ceiling.size() <= MAX_REPORTED_RULES) {
        narrowed =
            wider.stream()
                .flatMap(rule -> ceiling.stream().flatMap(its -> rule.narrowedBy(its).stream()))
                .toList();
      }
    }
    return narrowed.stream().map(Rule::toAllow).toList();
  }
}
