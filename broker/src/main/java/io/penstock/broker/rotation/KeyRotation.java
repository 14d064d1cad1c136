package io.penstock.broker.rotation;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.AgentKeyUpkeep;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.KeyState;
import io.penstock.broker.keys.KeyView;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.keys.RotationRefusedException;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.systems.SystemKeyUpkeep;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Rotates keys in steps that a crash may separate anywhere. The keystore alone says how far it is;
/// the rest is an upkeep that carries over what is behind and then gives up what nothing needs,
/// started by every rotation, at every start, and once a minute.
public final class KeyRotation implements KeyOperations, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KeyRotation.class);
  private static final int UPKEEP_SECONDS = 60;
  private static final int CLOSE_SECONDS = 5;

  private static final Set<ManagedKey> FIXED = Set.of(ManagedKey.ROW_MAC);

  private final Database database;
  private final BrokerKeys keys;
  private final Audit audit;
  private final AgentKeyUpkeep agents;
  private final SystemKeyUpkeep systems;
  private final WrappedFiles files;
  private final Needs needs;
  private final ScheduledExecutorService upkeep =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("key-upkeep").factory());

  /// What comes from elsewhere.
  ///
  /// @param accessTokenLife of people's tokens
  public record Surroundings(
      Database database,
      BrokerKeys keys,
      Audit audit,
      AgentKeyUpkeep agents,
      SystemKeyUpkeep systems,
      WrappedFiles files,
      Duration accessTokenLife,
      Clock clock) {}

  public KeyRotation(Surroundings around) {
    this.database = around.database();
    this.keys = around.keys();
    this.audit = around.audit();
    this.agents = around.agents();
    this.systems = around.systems();
    this.files = around.files();
    this.needs =
        new Needs(
            around.agents(),
            around.systems(),
            around.files(),
            around.accessTokenLife(),
            around.clock());
  }

  /// Goes on with what a killed broker left.
  public void start() {
    var _ = upkeep.scheduleWithFixedDelay(this::keepUp, 0, UPKEEP_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public List<Listed> list() {
    List<KeyView> all = keys.list();
    return database.transaction(
        tx -> all.stream().map(key -> new Listed(key, needs.of(tx, key))).toList());
  }

  @Override
  public synchronized Outcome rotate(Set<ManagedKey> uses, Actor by) {
    Outcome outcome = rotate(uses, "keys.rotate", by);
    upkeep.execute(this::keepUp);
    return outcome;
  }

  /// The audit comes first: without it nothing is rotated.
  private Outcome rotate(Set<ManagedKey> uses, String event, Actor by) {
    requireRotatable(uses);
    Map<ManagedKey, String> before = signing(uses);
    for (ManagedKey use : before.keySet()) {
      audit.record(
          Accounts.event(event, by, use.text()).changing(Map.of("replaces", before.get(use))));
    }
    var ofKeyset = EnumSet.noneOf(ManagedKey.class);
    uses.stream().filter(use -> use.inKeyset().isPresent()).forEach(ofKeyset::add);
    if (!ofKeyset.isEmpty()) {
      keys.announce(ofKeyset);
      agents.show();
      keys.activate();
    }
    for (ManagedKey use : uses) {
      switch (use) {
        case JWT, KEK -> keys.replace(use);
        case ENROLL_ROOT -> keys.replaceEnrollRoot();
        case ROOT -> keys.rotateRoot();
        case NODE_ISSUER, RECORD, CONFIGURATION, CHECKPOINT -> {}
        case ROW_MAC -> throw new IllegalStateException("not rotatable");
      }
    }
    agents.show();
    Map<ManagedKey, String> after = signing(uses);
    var rotated = new ArrayList<Rotated>();
    after.forEach((use, kid) -> rotated.add(new Rotated(use, kid, before.getOrDefault(use, ""))));
    LOG.info("rotated: {}", rotated);
    return new Outcome(rotated, List.of());
  }

  private static void requireRotatable(Set<ManagedKey> uses) {
    for (ManagedKey use : uses) {
      if (FIXED.contains(use)) {
        throw new RotationRefusedException("the key " + use.text() + " is not rotated");
      }
    }
  }

  private Map<ManagedKey, String> signing(Set<ManagedKey> uses) {
    var kids = new EnumMap<ManagedKey, String>(ManagedKey.class);
    uses.forEach(use -> kids.put(use, keys.signingKid(use)));
    return kids;
  }

  @Override
  public List<String> consequences(Set<ManagedKey> uses) {
    return uses.stream().map(KeyRotation::consequence).toList();
  }

  private static String consequence(ManagedKey use) {
    return switch (use) {
      case NODE_ISSUER -> "node-issuer: nothing, the node's certificate is made anew";
      case RECORD ->
          "record: sealers that hold an old copy of an agent's record must fetch it again; records"
              + " are signed anew";
      case CONFIGURATION ->
          "configuration: agents refuse every version signed until now; what is deployed is written"
              + " again with the same content and deployed, other versions can only be rolled back"
              + " to";
      case CHECKPOINT ->
          "checkpoint: nothing ends, a new one is signed at once; what a thief signs under an older"
              + " keyset still passes for an export of that time";
      case JWT -> "jwt: everybody has to sign in again, and every service token has to be replaced";
      case KEK ->
          "kek: nothing ends; what somebody copied from the database under the old key stays"
              + " readable to him";
      case ENROLL_ROOT -> "enroll-root: every enrollment token that was not used yet is void";
      case ROOT, ROW_MAC -> use.text() + ": not possible";
    };
  }

  @Override
  public synchronized Outcome rotateCompromised(Set<ManagedKey> uses, Actor by) {
    if (uses.contains(ManagedKey.ROOT)) {
      throw new RotationRefusedException(
          "agents know a new root by the old one's word only, which a thief can give too: rotate"
              + " the root without --compromised at once, and enroll those agents again that were"
              + " offline meanwhile");
    }
    requireRotatable(uses);
    var failed = new ArrayList<String>();
    Set<ManagedKey> possible = withoutKekUnderWay(uses, failed);
    // Earlier keys of these uses may be the ones that were stolen, also in a second try.
    withdrawReplaced(possible, by);
    Map<ManagedKey, String> before = signing(possible);
    rotate(possible, "keys.compromised", by);
    withdrawReplaced(possible, by);
    agents.show();
    try {
      renew();
    } catch (RuntimeException later) {
      LOG.error("what the withdrawn keys signed is not signed anew yet", later);
      failed.add("signing anew: not finished, the broker goes on by itself");
    }
    if (possible.contains(ManagedKey.CONFIGURATION)) {
      failed.addAll(reissued(by));
    }
    upkeep.execute(this::keepUp);
    Map<ManagedKey, String> after = signing(possible);
    return new Outcome(
        possible.stream()
            .map(use -> new Rotated(use, after.getOrDefault(use, ""), before.getOrDefault(use, "")))
            .toList(),
        failed);
  }

  /// Its last rotation is under way for a minute or as long as a row does not open; the other keys
  /// do not wait for it.
  private Set<ManagedKey> withoutKekUnderWay(Set<ManagedKey> uses, List<String> failed) {
    var possible = EnumSet.copyOf(uses);
    if (!replaced(EnumSet.of(ManagedKey.KEK)).isEmpty() && possible.remove(ManagedKey.KEK)) {
      failed.add("kek: not rotated, the rotation before is still under way (see keys list)");
    }
    return possible;
  }

  /// What the old KEK wraps would be lost; the upkeep gives it up as soon as nothing is.
  private void withdrawReplaced(Set<ManagedKey> uses, Actor by) {
    replaced(uses).stream()
        .filter(key -> key.use() != ManagedKey.KEK)
        .forEach(key -> withdraw(key, by));
  }

  private void withdraw(KeyView key, Actor by) {
    audit.record(
        Accounts.event("keys.retire", by, key.use().text()).changing(Map.of("kid", key.kid())));
    keys.retire(key.kid());
  }

  private List<KeyView> replaced(Set<ManagedKey> uses) {
    return keys.list().stream()
        .filter(key -> key.state() == KeyState.VERIFYING && uses.contains(key.use()))
        .toList();
  }

  /// What is deployed under any withdrawn key, also by a broker that was killed in the middle.
  private List<String> reissued(Actor by) {
    return keys.list().stream()
        .filter(key -> key.use() == ManagedKey.CONFIGURATION && key.state() == KeyState.RETIRED)
        .flatMap(key -> systems.reissue(key.kid(), by).stream())
        .toList();
  }

  @Override
  public synchronized void retire(String kid, Actor by) {
    KeyView key =
        keys.list().stream()
            .filter(it -> it.kid().equals(kid))
            .findFirst()
            .orElseThrow(() -> new RotationRefusedException("there is no key " + kid));
    switch (key.state()) {
      case SIGNING, ANNOUNCED ->
          throw new RotationRefusedException(
              kid + " is in use: rotate " + key.use().text() + " first");
      case RETIRED -> throw new RotationRefusedException(kid + " is retired already");
      case VERIFYING -> {}
    }
    List<String> neededBy = database.transaction(tx -> needs.of(tx, key));
    if (!neededBy.isEmpty()) {
      throw new RotationRefusedException(kid + " is needed by " + String.join(", ", neededBy));
    }
    withdraw(key, by);
    agents.show();
  }

  /// Carries over what is behind, and gives up what nothing needs.
  void keepUp() {
    // One that fails in every round does not keep the others from it.
    attempt(agents::renew);
    attempt(systems::renew);
    attempt(files::rewrap);
    attempt(this::giveUp);
  }

  private static void attempt(Runnable part) {
    try {
      part.run();
    } catch (StoreUnavailableException away) {
      LOG.debug("key upkeep waits for the database: {}", away.getMessage());
    } catch (RuntimeException failure) {
      LOG.error("key upkeep failed; it is tried again", failure);
    }
  }

  private void renew() {
    agents.renew();
    systems.renew();
    files.rewrap();
  }

  private synchronized void giveUp() {
    boolean keysetChanged = false;
    for (KeyView key : keys.list()) {
      if (key.state() == KeyState.VERIFYING
          && database.transaction(tx -> needs.of(tx, key)).isEmpty()) {
        keys.retire(key.kid());
        keysetChanged |= key.use().inKeyset().isPresent();
        LOG.info("retired {}: nothing needs it any more", key.kid());
      }
    }
    if (keysetChanged) {
      agents.show();
    }
  }

  /// Waits for the step that runs: nothing is written to the keystore any more when this returns.
  @Override
  public void close() {
    upkeep.shutdown();
    try {
      if (!upkeep.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the key upkeep still runs after {} s; the next start goes on", CLOSE_SECONDS);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
