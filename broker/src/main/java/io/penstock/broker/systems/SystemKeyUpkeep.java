package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.KeyTable;
import io.penstock.broker.store.KeyTable.Deployed;
import io.penstock.broker.store.KeyTable.Wrapped;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;

/// Carries systems over to new keys (`docs/keys.md`): heads to the newest configuration key,
/// settings to the newest KEK. Headers of versions stay as they were signed, because each names the
/// one before by its hash and agents know them by theirs.
public final class SystemKeyUpkeep {
  private static final int AT_ONCE = 100;

  private final Database database;
  private final BrokerKeys keys;
  private final Heads heads;
  private final BiConsumer<Tx, String> headRenewed;
  private final Recorder recorder;
  private final SystemOperations operations;
  private final KeyTable table = new KeyTable();

  /// @param headRenewed hears, in the transaction, of whose head is signed again
  SystemKeyUpkeep(
      Database database,
      BrokerKeys keys,
      Heads heads,
      BiConsumer<Tx, String> headRenewed,
      Recorder recorder,
      SystemOperations operations) {
    this.database = database;
    this.keys = keys;
    this.heads = heads;
    this.headRenewed = headRenewed;
    this.recorder = recorder;
    this.operations = operations;
  }

  /// A row that somebody changed is reported, and stays as it is.
  public void renew() {
    renewHeads();
    rewrapSettings();
  }

  private void renewHeads() {
    String header =
        SignedDocument.headerOf(
            DocumentType.HEAD_MANIFEST, keys.signingKid(ManagedKey.CONFIGURATION));
    String last = "";
    while (true) {
      String after = last;
      List<String> behind =
          database.transaction(tx -> table.headsBehind(tx, header, after, AT_ONCE));
      behind.forEach(this::renewHead);
      if (behind.size() < AT_ONCE) {
        return;
      }
      last = behind.getLast();
    }
  }

  private void renewHead(String agent) {
    try {
      database.run(tx -> heads.resign(tx, agent).ifPresent(_ -> headRenewed.accept(tx, agent)));
    } catch (TamperedRowException found) {
      recorder.tampered(found);
    }
  }

  private void rewrapSettings() {
    Optional<Wrapped> last = Optional.empty();
    while (true) {
      Optional<Wrapped> after = last;
      List<Wrapped> behind =
          database.transaction(
              tx -> {
                List<Wrapped> found =
                    table.settingsBehind(tx, keys.kek().currentPrefix(), after, AT_ONCE);
                found.forEach(settings -> rewrap(tx, settings));
                return found;
              });
      if (behind.size() < AT_ONCE) {
        return;
      }
      last = Optional.of(behind.getLast());
    }
  }

  private void rewrap(Tx tx, Wrapped settings) {
    try {
      keys.kek()
          .rewrap(Versions.context(settings), settings.settings())
          .ifPresent(wrapped -> table.rewrap(tx, settings, wrapped));
    } catch (SealException _) {
      recorder.tampered(
          new TamperedRowException(settings.agent(), "settings of " + settings + " do not open"));
    }
  }

  /// What of a replaced configuration key is left.
  public List<String> needsOfConfigurationKey(Tx tx, String kid) {
    var needs = new ArrayList<String>();
    long versions = table.versions(tx, SignedDocument.headerOf(DocumentType.CONFIGURATION, kid));
    if (versions > 0) {
      needs.add(versions + " versions of systems");
    }
    long found = table.heads(tx, SignedDocument.headerOf(DocumentType.HEAD_MANIFEST, kid));
    if (found > 0) {
      needs.add(found + " head manifests");
    }
    return needs;
  }

  /// What is wrapped by another KEK than the newest.
  public List<String> needsOfOlderKek(Tx tx) {
    var needs = new ArrayList<String>();
    long found = table.settingsBehind(tx, keys.kek().currentPrefix());
    if (found > 0) {
      needs.add("settings of " + found + " versions");
    }
    long changes = table.changesBehind(tx, keys.kek().currentPrefix());
    if (changes > 0) {
      needs.add(changes + " waiting changes");
    }
    return needs;
  }

  /// Agents no longer believe the headers of this key: what is deployed under it is written once
  /// more as a version of the same content, and deployed.
  ///
  /// @return systems for which that failed, with the reason
  public List<String> reissue(String kid, Actor by) {
    String header = SignedDocument.headerOf(DocumentType.CONFIGURATION, kid);
    List<Deployed> all = database.transaction(tx -> table.deployed(tx, header, Integer.MAX_VALUE));
    var failed = new ArrayList<String>();
    for (Deployed each : all) {
      reissue(each, by)
          .ifPresent(why -> failed.add(each.agent() + "/" + each.system() + ": " + why));
    }
    return failed;
  }

  private Optional<String> reissue(Deployed old, Actor by) {
    SystemOperations.Outcome<Made> made =
        operations.rollback(old.agent(), old.system(), old.version(), by);
    return switch (made) {
      case SystemOperations.Outcome.Done<Made>(Made version) ->
          operations.deploy(old.agent(), old.system(), OptionalLong.of(version.version()), by)
                  instanceof SystemOperations.Outcome.Refused<?> refused
              ? Optional.of(refused.refusal().detail())
              : Optional.empty();
      case SystemOperations.Outcome.Refused<Made> refused ->
          Optional.of(refused.refusal().detail());
    };
  }
}
