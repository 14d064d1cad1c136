package io.penstock.broker.systems;

import io.penstock.codec.schema.Problem;
import java.util.List;
import java.util.Locale;

/// Why something was not done, for whoever asked.
///
/// @param detail what was expected and found; of the settings it names fields, never a secret
/// @param problems one by one, where the settings break their schema
public record Refusal(Reason reason, String detail, List<Problem> problems) {

  public enum Reason {
    UNKNOWN_AGENT,
    UNKNOWN_SYSTEM,
    UNKNOWN_VERSION,
    /// A name outside the syntax of signed documents, or one that means something else.
    BAD_NAME,
    UNKNOWN_PLUGIN,
    SCHEMA_INVALID,
    /// `sealed` is not a sealed object, or does not go with `secret_names`.
    BAD_SECRETS,
    /// No wrap is for the agent's sealing key of today.
    WRONG_RECIPIENT,
    TOO_LARGE,
    /// Somebody else has made a version meanwhile.
    VERSION_CONFLICT,
    /// Where the secrets go has changed, and the secrets did not come anew.
    DESTINATION_CHANGED,
    /// The version before had secrets, and nothing was said of them.
    SECRETS_MISSING,
    NO_SECRETS_TO_CARRY,
    /// The sealed secrets of a version that has none were asked for.
    NO_SECRETS,
    AGENT_NOT_APPROVED,
    /// Made for a generation of the agent that is over.
    OLD_GENERATION,
    /// A newer version was deployed; the agent does not go back.
    OLDER_VERSION,
    REMOVED,
    TOO_MANY_SYSTEMS,
    TOO_MANY_MESSAGES,
    ROW_TAMPERED,
    AGENT_OFFLINE,
    /// The agent took the question and did not answer it.
    TEST_FAILED;

    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public Refusal {
    problems = List.copyOf(problems);
  }

  static RefusedException of(Reason reason, String detail) {
    return new RefusedException(new Refusal(reason, detail, List.of()));
  }

  static RefusedException invalid(List<Problem> problems) {
    return new RefusedException(
        new Refusal(
            Reason.SCHEMA_INVALID,
            "the settings break the plugin's schema in " + problems.size() + " places",
            problems));
  }
}
