package io.penstock.codec.exposure;

import io.penstock.codec.message.ControlMessage.Allow;
import java.util.List;
import java.util.Optional;

/// One `allow` entry, compiled.
///
/// @param methods empty = any
record Rule(List<String> methods, List<PathPattern> paths) {
  static final String ANY_METHOD = "*";

  /// Patterns that are none expose nothing.
  static Rule of(Allow allow) {
    List<String> methods =
        allow.methods().contains(ANY_METHOD) ? List.of() : List.copyOf(allow.methods());
    List<PathPattern> paths =
        allow.paths().stream().map(PathPattern::of).flatMap(Optional::stream).toList();
    return new Rule(methods, allow.methods().isEmpty() ? List.of() : paths);
  }

  boolean allows(CharSequence method, CharSequence path, int end) {
    return allowsMethod(method) && allowsPath(path, end);
  }

  private boolean allowsMethod(CharSequence method) {
    if (methods.isEmpty()) {
      return true;
    }
    for (int i = 0; i < methods.size(); i++) {
      if (methods.get(i).contentEquals(method)) {
        return true;
      }
    }
    return false;
  }

  private boolean allowsPath(CharSequence path, int end) {
    for (int i = 0; i < paths.size(); i++) {
      if (paths.get(i).matches(path, end)) {
        return true;
      }
    }
    return false;
  }

  /// A rule that allows everything that both allow, and as little else as patterns can say.
  Optional<Rule> narrowedBy(Rule ceiling) {
    List<String> common = commonMethods(ceiling);
    boolean noMethod = common.isEmpty() && !(methods.isEmpty() && ceiling.methods.isEmpty());
    List<PathPattern> narrowed =
        paths.stream()
            .flatMap(ours -> ceiling.paths.stream().flatMap(its -> narrow(ours, its).stream()))
            .distinct()
            .toList();
    return noMethod || narrowed.isEmpty()
        ? Optional.empty()
        : Optional.of(new Rule(common, narrowed));
  }

  private List<String> commonMethods(Rule ceiling) {
    if (methods.isEmpty()) {
      return ceiling.methods;
    }
    if (ceiling.methods.isEmpty()) {
      return methods;
    }
    return methods.stream().filter(ceiling.methods::contains).toList();
  }

  private static Optional<PathPattern> narrow(PathPattern ours, PathPattern its) {
    if (ours.covers(its)) {
      return Optional.of(its);
    }
    return its.covers(ours) || ours.mayMeet(its) ? Optional.of(ours) : Optional.empty();
  }

  Allow toAllow() {
    return new Allow(
        methods.isEmpty() ? List.of(ANY_METHOD) : methods,
        paths.stream().map(PathPattern::toString).toList());
  }
}
