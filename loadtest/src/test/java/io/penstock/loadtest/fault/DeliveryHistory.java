package io.penstock.loadtest.fault;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Everything that happened to one system, and the judgement of it. There is one author, so that
/// the order of changes is known; what the broker recorded is its audit, and what the system saw
/// are the calls that came through the tunnel.
///
/// A change that got no answer, or one that leaves it open (503), may have happened or not: it may
/// have a fate, need not, and is a right final state.
///
/// @param system `agent/system`, for the texts
/// @param changes in the order of their author
/// @param seen the changes that calls saw, in the order of the calls
/// @param fates what the broker recorded, in its order
record DeliveryHistory(
    String system, List<Change> changes, List<Integer> seen, List<Fate> fates, End end) {

  DeliveryHistory {
    changes = List.copyOf(changes);
    seen = List.copyOf(seen);
    fates = List.copyOf(fates);
  }

  enum Answer {
    /// The deploy was answered 200.
    ACKNOWLEDGED,
    /// Nobody knows whether it was deployed.
    UNKNOWN,
    /// It was never deployed.
    NOT_DEPLOYED
  }

  /// @param number in the value that the system sees
  /// @param version empty when the answer to the writing was lost
  record Change(int number, Optional<Long> version, Answer answer) {}

  enum Kind {
    APPLIED,
    REFUSED,
    SUPERSEDED
  }

  /// What became of one version.
  record Fate(long version, Kind kind) {}

  /// What stands at the end, with everybody alive.
  ///
  /// @param deployed version, 0 = none
  /// @param applied version, 0 = none
  /// @param waiting messages for the agent
  /// @param seen the change that a call sees, empty = none
  record End(long deployed, long applied, int waiting, Optional<Integer> seen) {}

  long acknowledged() {
    return changes.stream().filter(it -> it.answer() == Answer.ACKNOWLEDGED).count();
  }

  List<Integer> unknown() {
    return changes.stream()
        .filter(it -> it.answer() == Answer.UNKNOWN)
        .map(Change::number)
        .toList();
  }

  /// Empty: every acknowledged change has exactly one fate, nothing went back, nothing is lost.
  List<String> problems() {
    var problems = new ArrayList<String>();
    judgeFates(problems);
    judgeOrder(problems);
    judgeSeen(problems);
    judgeEnd(problems);
    return problems.stream().map(problem -> system + ": " + problem).toList();
  }

  private void judgeFates(List<String> problems) {
    Map<Long, List<Fate>> byVersion =
        new HashMap<>(fates.stream().collect(Collectors.groupingBy(Fate::version)));
    for (Change change : changes) {
      List<Fate> own = change.version().map(byVersion::remove).orElse(null);
      int count = own == null ? 0 : own.size();
      if (count > 1) {
        problems.add(text(change) + " has more than one fate: " + own);
      }
      if (count == 0 && change.answer() == Answer.ACKNOWLEDGED) {
        problems.add(text(change) + " was acknowledged and is lost");
      }
      if (count > 0 && change.answer() == Answer.NOT_DEPLOYED) {
        problems.add(text(change) + " was never deployed, and yet " + own);
      }
    }
    byVersion.values().forEach(own -> problems.add("nobody wrote " + own));
    fates.stream()
        .filter(fate -> fate.kind() == Kind.REFUSED)
        .forEach(fate -> problems.add("version " + fate.version() + " was refused"));
  }

  private void judgeOrder(List<String> problems) {
    long highest = 0;
    for (Fate fate : fates) {
      if (fate.kind() == Kind.APPLIED) {
        if (fate.version() <= highest) {
          problems.add("version " + fate.version() + " was applied after " + highest);
        }
        highest = Math.max(highest, fate.version());
      } else if (fate.kind() == Kind.SUPERSEDED && fate.version() >= newestPossible()) {
        problems.add("version " + fate.version() + " was superseded by none that is newer");
      }
    }
  }

  /// The newest version that was or may have been deployed.
  private long newestPossible() {
    return changes.stream()
        .filter(it -> it.answer() != Answer.NOT_DEPLOYED)
        .flatMap(it -> it.version().stream())
        .reduce(0L, Math::max);
  }

  private void judgeSeen(List<String> problems) {
    Map<Integer, Change> byNumber =
        changes.stream().collect(Collectors.toMap(Change::number, Function.identity()));
    int highest = 0;
    for (int number : seen) {
      Change change = byNumber.get(number);
      if (change == null) {
        problems.add("change " + number + " was seen, and nobody wrote it");
      } else if (change.answer() == Answer.NOT_DEPLOYED) {
        problems.add(text(change) + " was seen, and never deployed");
      }
      if (number < highest) {
        problems.add("change " + number + " was seen after " + highest);
      }
      highest = Math.max(highest, number);
    }
  }

  private void judgeEnd(List<String> problems) {
    if (end.waiting() > 0) {
      problems.add(end.waiting() + " messages wait for ever");
    }
    long newest =
        changes.stream()
            .filter(it -> it.answer() == Answer.ACKNOWLEDGED)
            .flatMap(it -> it.version().stream())
            .reduce(0L, Math::max);
    if (end.deployed() < newest) {
      problems.add("version " + end.deployed() + " is deployed, acknowledged was " + newest);
    }
    if (end.applied() != end.deployed()) {
      problems.add("version " + end.applied() + " is applied, deployed is " + end.deployed());
    }
    long recorded =
        fates.stream()
            .filter(it -> it.kind() == Kind.APPLIED)
            .map(Fate::version)
            .reduce(0L, Math::max);
    if (end.applied() != recorded) {
      problems.add("version " + end.applied() + " is applied, the newest receipt is " + recorded);
    }
    Optional<Integer> wanted =
        changes.stream()
            .filter(it -> it.version().equals(Optional.of(end.applied())))
            .map(Change::number)
            .findFirst();
    if (!end.seen().equals(wanted)) {
      problems.add("calls see change " + end.seen() + ", applied is " + wanted);
    }
  }

  private static String text(Change change) {
    return "change "
        + change.number()
        + change.version().map(version -> " (version " + version + ")").orElse("");
  }
}
