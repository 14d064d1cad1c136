package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A message about one system that has no receipt yet.
///
/// @param isRemoval a tombstone is listed
/// @param document null = the message has none
/// @param badHead the head it came with is not accepted
record Asked(
    ConfigurationLine line,
    long sequence,
    String system,
    long version,
    boolean isRemoval,
    @Nullable ConfigurationDocument document,
    Optional<Refusal> badHead) {
  private static final Octets NO_HEADER = ConfigurationHeader.NOTHING_BEFORE;

  /// Which document it is about: the one it carries, or the one the head lists.
  HeldVersion held(NewestHead newest) {
    return new HeldVersion(version, header(newest));
  }

  private Octets header(NewestHead newest) {
    if (isRemoval) {
      return NO_HEADER;
    }
    if (document != null) {
      return ConfigurationHeader.hashOf(document.header());
    }
    return newest
        .get()
        .flatMap(head -> head.listed(system))
        .filter(listed -> listed.version() == version)
        .map(HeldVersion::headerSha256)
        .orElse(NO_HEADER);
  }

  boolean isAbout(HeldVersion held, NewestHead newest) {
    return badHead.isEmpty() && !isRemoval && held(newest).equals(held);
  }

  @Override
  public String toString() {
    return "Asked[" + sequence + " " + system + " " + version + "]";
  }
}
