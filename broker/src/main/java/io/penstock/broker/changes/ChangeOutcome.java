package io.penstock.broker.changes;

import io.penstock.broker.access.Permission;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.systems.Refusal;

/// How proposing or deciding ended.
public sealed interface ChangeOutcome {
  record Done(Change change) implements ChangeOutcome {}

  record UnknownChange() implements ChangeOutcome {}

  /// Also an agent that whoever asks may not see.
  record UnknownAgent() implements ChangeOutcome {}

  /// @param state the change's, which does not allow it
  record WrongState(String state) implements ChangeOutcome {}

  /// @param state the agent's, which does not allow it
  record WrongAgentState(String agent, String state) implements ChangeOutcome {}

  /// The author cannot be the second person.
  record OwnChange() implements ChangeOutcome {}

  /// Only its author withdraws a change.
  record NotTheAuthor() implements ChangeOutcome {}

  record Lacks(Permission permission) implements ChangeOutcome {}

  /// The author's account is disabled, gone, or may not propose this any more.
  record AuthorMayNot() implements ChangeOutcome {}

  /// What it builds on is not so any more; the change has failed.
  ///
  /// @param what expected and found
  record TargetChanged(String what) implements ChangeOutcome {}

  /// It could not be carried out, for the reason that the direct call would have had.
  record Refused(Refusal refusal) implements ChangeOutcome {}

  record TooMany(String whose, long limit, long found) implements ChangeOutcome {}

  /// The row is not what a broker wrote.
  record Tampered() implements ChangeOutcome {}
}
