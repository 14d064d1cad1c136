package io.penstock.broker.systems;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.VerifiedTexts;
import io.penstock.broker.store.KeyTable.Wrapped;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.Content;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemOperations.Recipient;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Versions with what they carry: signed and encrypted when they are made; opened only while
/// header, settings and secrets are exactly what was signed.
final class Versions {
  private static final long ROOM_AFTER_RESTORE = 1_000;

  private final SystemTable table;
  private final BrokerKeys keys;
  private final VerifiedTexts<ConfigurationHeader> headers;

  Versions(SystemTable table, BrokerKeys keys) {
    this.table = table;
    this.keys = keys;
    this.headers = new VerifiedTexts<>(keys::ownKeyset, ConfigurationHeader::verify);
  }

  /// One version, verified.
  ///
  /// @param sealed the secrets' JSON; empty = it has none
  record Opened(SystemVersion row, byte[] settings, Optional<byte[]> sealed) {
    // The record takes null; the checker does not see that of an array of another module.
    @SuppressWarnings("NullAway")
    ConfigurationDocument document() {
      return new ConfigurationDocument(row.headerJws(), settings, sealed.orElse(null));
    }

    /// Key id of the wrap that is the agent's. Rows from before it was noted have one wrap, and
    /// that is it.
    Optional<Octets> agentRecipient() {
      return row.agentRecipient()
          .or(
              () ->
                  secrets()
                      .map(SealedSecrets::wraps)
                      .filter(wraps -> wraps.size() == 1)
                      .map(wraps -> wraps.getFirst().recipient()));
    }

    Optional<SealedSecrets> secrets() {
      return sealed.map(SealedSecrets::fromJson);
    }

    /// Who can open the secrets, as far as this broker can tell.
    List<Recipient> recipients() {
      return Recipient.of(secrets(), agentRecipient());
    }

    @Override
    public String toString() {
      return "Opened[version " + row.version() + "]";
    }
  }

  /// What the next document or tombstone of a system is called. After a restore there is room for
  /// what was made after the backup, because agents go back behind nothing that they have applied.
  long nextNumber(Tx tx, SystemRow row) {
    Instant began = keys.incarnationBegan();
    boolean first = began.equals(Instant.EPOCH);
    boolean older =
        !first
            && table
                .version(tx, row.agent(), row.system(), row.version())
                .map(SystemVersion::createdAt)
                .orElse(row.updatedAt())
                .isBefore(began);
    return row.version() + (older ? ROOM_AFTER_RESTORE : 1);
  }

  SystemVersion make(
      Tx tx,
      ConfigurationHeader header,
      byte[] settings,
      Optional<SealedSecrets> sealed,
      Optional<Octets> agentRecipient,
      List<String> secretNames,
      Instant now) {
    String jws = keys.sign(header);
    headers.signed(name(header.agent(), header.system()), jws, header);
    Optional<byte[]> sealedJson = sealed.map(SealedSecrets::toJson);
    var row =
        new SystemVersion(
            header.agent(),
            header.system(),
            header.version(),
            header.generation(),
            header.plugin(),
            SystemVersion.State.SEALED,
            jws,
            ConfigurationHeader.hashOf(jws),
            sealedJson.map(Octets::sha256),
            agentRecipient,
            secretNames,
            header.author(),
            now,
            1);
    byte[] wrapped = keys.kek().wrap(context(row), settings);
    table.insert(tx, row, new Content(wrapped, sealedJson));
    return row;
  }

  /// Throws [TamperedRowException] when anything of it is not what was signed.
  Opened open(Tx tx, SystemVersion row) {
    return open(row, table.content(tx, row));
  }

  Opened open(SystemVersion row, Content content) {
    ConfigurationHeader header = header(row);
    byte[] settings = settings(row, content);
    if (!Octets.sha256(settings).equals(header.settingsSha256())) {
      throw tampered(row, "settings that are not the header's");
    }
    if (!hashes(row, content).equals(header.secrets())) {
      throw tampered(row, "secrets that are not the header's");
    }
    return new Opened(row, settings, content.sealed());
  }

  /// The row's header, its signature verified again.
  private ConfigurationHeader header(SystemVersion row) {
    ConfigurationHeader header;
    try {
      header = headers.read(name(row.agent(), row.system()), row.headerJws());
    } catch (SealException _) {
      throw tampered(row, "a header that we did not sign");
    }
    boolean same =
        header.agent().equals(row.agent())
            && header.system().equals(row.system())
            && header.version() == row.version()
            && header.generation() == row.generation()
            && header.plugin().equals(row.plugin())
            && ConfigurationHeader.hashOf(row.headerJws()).equals(row.headerSha256());
    if (!same) {
      throw tampered(row, "a header of something else");
    }
    return header;
  }

  private byte[] settings(SystemVersion row, Content content) {
    try {
      return keys.kek().unwrap(context(row), content.wrappedSettings());
    } catch (SealException _) {
      throw tampered(row, "settings that do not open");
    }
  }

  private static Optional<ConfigurationHeader.SecretsHashes> hashes(
      SystemVersion row, Content content) {
    try {
      return content.sealed().map(json -> SealedSecrets.fromJson(json).hashes());
    } catch (SealException _) {
      throw tampered(row, "secrets that have no shape");
    }
  }

  private static String name(String agent, String system) {
    return agent + "/" + system;
  }

  private static TamperedRowException tampered(SystemVersion row, String what) {
    return new TamperedRowException(
        row.agent(), "system " + row.system() + " version " + row.version() + " has " + what);
  }

  private static String context(SystemVersion row) {
    return context(row.agent(), row.generation(), row.system(), row.version());
  }

  static String context(Wrapped row) {
    return context(row.agent(), row.generation(), row.system(), row.version());
  }

  private static String context(String agent, long generation, String system, long version) {
    return "settings " + agent + " " + generation + " " + system + " " + version;
  }
}
