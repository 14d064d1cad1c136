package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealedSecrets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;

/// What operators see of an agent's systems and do to them. Blocks.
public interface SystemOperations {

  /// How an operation ended.
  sealed interface Outcome<T> {
    record Done<T>(T value) implements Outcome<T> {}

    record Refused<T>(Refusal refusal) implements Outcome<T> {}
  }

  /// What sealers need, and what lets them check it without trusting this broker's word.
  Outcome<SealingKeyView> sealingKey(String agent);

  Outcome<Made> put(String agent, String system, Edit edit, Actor by);

  /// A new version with the content of `version`; it goes to the agent once it is deployed.
  Outcome<Made> rollback(String agent, String system, long version, Actor by);

  /// @param version empty = the newest
  Outcome<Queued> deploy(String agent, String system, OptionalLong version, Actor by);

  Outcome<Queued> delete(String agent, String system, Actor by);

  /// Asks the agent to try a system.
  ///
  /// @param version need not be deployed; empty = the one that runs
  Outcome<TestReport> test(String agent, String system, OptionalLong version, Actor by);

  /// By name. A system whose removal the agent has confirmed is not in it.
  Outcome<List<SystemView>> list(String agent);

  Outcome<Detailed> show(String agent, String system);

  /// Newest first.
  ///
  /// @param before only versions below
  Outcome<List<VersionView>> versions(String agent, String system, long before, int limit);

  Outcome<VersionView> version(String agent, String system, long version);

  /// The sealed secrets themselves, for whoever holds the owner's recovery key. Audited.
  Outcome<SealedView> sealed(String agent, String system, long version, Actor by);

  /// By JSON pointer.
  Outcome<SortedMap<String, SettingsDiff.Change>> diff(
      String agent, String system, long from, long to);

  /// How far each agent is; agents that never had a system are not in it.
  Map<String, Progress> progress();

  /// What somebody wants a system to be.
  ///
  /// @param settingsJson UTF-8; these very bytes are signed and sent
  /// @param secrets what to do about secrets
  /// @param expectedVersion the version that was edited; 0 = none yet
  record Edit(String plugin, byte[] settingsJson, Secrets secrets, OptionalLong expectedVersion) {}

  sealed interface Secrets {
    /// @param sealedJson as the sealer made it
    record Sealed(byte[] sealedJson, List<String> names) implements Secrets {}

    /// The version before's, unopened.
    ///
    /// @param names what somebody believes they are; empty = nothing was said
    record Carried(List<String> names) implements Secrets {
      public Carried {
        names = List.copyOf(names);
      }
    }

    /// @param explicit it was said that there are none, so that a version before loses its own
    record None(boolean explicit) implements Secrets {}
  }

  /// @param recordJws signed by the keyset's record key
  record SealingKeyView(AgentRecord agentRecord, String recordJws, Proof proof) {}

  /// @param keysetJws signed by the root
  /// @param rootLinks how older roots lead to it, oldest first
  record Proof(String keysetJws, Octets rootPublic, List<RootLink> rootLinks) {}

  record Made(
      String agent,
      String system,
      String plugin,
      long version,
      Octets headerSha256,
      String state,
      List<Recipient> recipients) {
    public Made {
      recipients = List.copyOf(recipients);
    }
  }

  /// Who can open a version's secrets. Whose key it is when it is not the agent's, this broker is
  /// never told: sealers decide that.
  ///
  /// @param keyId SHA-256 of the sealing public key
  record Recipient(Octets keyId, boolean ofAgent) {
    static List<Recipient> of(Optional<SealedSecrets> sealed, Optional<Octets> agents) {
      return sealed.stream()
          .flatMap(secrets -> secrets.wraps().stream())
          .map(SealedSecrets.Wrap::recipient)
          .map(keyId -> new Recipient(keyId, agents.equals(Optional.of(keyId))))
          .toList();
    }
  }

  record Queued(String system, long version, long sequence, String state) {}

  /// @param state of the newest version; `removed` for a removed system
  /// @param deployedVersion 0 = never
  /// @param appliedVersion 0 = nothing yet
  /// @param drift the agent has not (yet) applied what is deployed, or is another generation
  record SystemView(
      String system,
      String plugin,
      long version,
      long deployedVersion,
      long appliedVersion,
      String state,
      boolean drift,
      Optional<ReceiptView> lastReceipt,
      String updatedBy,
      Instant updatedAt) {}

  /// @param settingsJson of the newest version
  record Detailed(
      SystemView system,
      String settingsJson,
      List<String> secretNames,
      List<Recipient> recipients) {}

  /// One version whole, for somebody who holds another key of its secrets, with what lets them
  /// check it without trusting this broker's word.
  ///
  /// @param settingsJson the very text that the header's hash is about
  /// @param proof down to the root
  record SealedView(
      String headerJws,
      String settingsJson,
      byte[] sealedJson,
      List<String> secretNames,
      Proof proof) {
    @Override
    public String toString() {
      return "SealedView";
    }
  }

  record ReceiptView(
      long version, String outcome, Optional<String> reason, Optional<String> detail, Instant at) {}

  /// @param settingsJson empty in lists
  /// @param recipients empty in lists, which do not read the secrets
  record VersionView(
      long version,
      long generation,
      String plugin,
      String state,
      String headerJws,
      Octets headerSha256,
      Optional<String> settingsJson,
      List<String> secretNames,
      Optional<List<Recipient>> recipients,
      String author,
      Instant createdAt,
      Optional<ReceiptView> receipt) {}

  /// @param configVersion sequence of the newest head
  /// @param appliedVersion the newest sequence of which everything is applied
  record Progress(long configVersion, long appliedVersion) {}
}
