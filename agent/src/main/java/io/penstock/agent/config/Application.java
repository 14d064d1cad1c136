package io.penstock.agent.config;

import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.Protocol;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Receipt.Reason;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The effects: a prepared version serves, or a removed system no longer does; the floor is raised
/// in memory, and [StateSaver] brings it to the disk before anybody hears. Of the configuration's
/// thread.
final class Application {
  private static final int MAX_RULES_BYTES = Protocol.MAX_CONTROL_BYTES - 16 * 1024;
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final NewestHead newest;
  private final StateKeeper keeper;
  private final Deployments deployments;
  private final InstanceCare care;
  private final Announcements announcements;
  private final Failpoint.Action failpoint;

  Application(
      NewestHead newest,
      StateKeeper keeper,
      Deployments deployments,
      InstanceCare care,
      Announcements announcements,
      Failpoint.Action failpoint) {
    this.newest = newest;
    this.keeper = keeper;
    this.deployments = deployments;
    this.care = care;
    this.announcements = announcements;
    this.failpoint = failpoint;
  }

  /// Whether what runs is what the head wants.
  boolean isDone(String system, HeadManifest.Entry entry) {
    Optional<Prepared> running = deployments.running(system);
    return switch (entry) {
      case HeadManifest.Listed listed ->
          running.filter(it -> it.held().equals(listed.held())).isPresent();
      case HeadManifest.Tombstone tombstone ->
          running.isEmpty()
              && keeper
                  .state()
                  .floor(system)
                  .map(it -> it.version() >= tombstone.version())
                  .orElse(deployments.status(system).isEmpty());
    };
  }

  /// Whether everything was forgotten while it was prepared, and it with everything.
  boolean isForgotten(Prepared prepared) {
    return !deployments.isKept(prepared);
  }

  /// Empty = it serves.
  Optional<Refusal> swapped(ConfigurationLine line, Prepared prepared) {
    try {
      Optional<Refusal> refusal = overtaken(line, prepared).or(() -> tooManyRules(prepared));
      if (refusal.isPresent()) {
        deployments.discard(prepared);
        return refusal;
      }
      return swap(prepared);
    } catch (RuntimeException bug) {
      LOG.error("{}: internal error", prepared.system(), bug);
      deployments.discard(prepared);
      return Optional.of(new Refusal(Reason.START_FAILED, "internal error"));
    }
  }

  /// A newer head may have come while it was prepared.
  private Optional<Refusal> overtaken(ConfigurationLine line, Prepared prepared) {
    if (isExpired(line)) {
      return Optional.of(expired());
    }
    boolean listed =
        newest
            .get()
            .flatMap(it -> it.listed(prepared.system()))
            .filter(prepared.held()::equals)
            .isPresent();
    return listed
        ? Optional.empty()
        : Optional.of(
            new Refusal(
                Reason.NOT_LISTED,
                "the head does not list this document of version " + prepared.held().version()));
  }

  private boolean isExpired(ConfigurationLine line) {
    return newest.get().filter(it -> it.isExpiredAt(line.serverTime())).isPresent();
  }

  private static Refusal expired() {
    return new Refusal(Reason.NOT_LISTED, "the newest head has expired");
  }

  /// What it exposes must fit the one message that tells the rules of all systems, or no tunnel
  /// would stand any more.
  private Optional<Refusal> tooManyRules(Prepared prepared) {
    int bytes = deployments.rulesBytesWith(prepared);
    return bytes <= MAX_RULES_BYTES
        ? Optional.empty()
        : Optional.of(
            new Refusal(
                Reason.START_FAILED,
                "allow: expected rules of all systems of at most "
                    + MAX_RULES_BYTES
                    + " bytes, found "
                    + bytes));
  }

  private Optional<Refusal> swap(Prepared prepared) {
    String system = prepared.system();
    if (!deployments.swap(prepared)) {
      return Optional.of(new Refusal(Reason.START_FAILED, "everything was forgotten meanwhile"));
    }
    failpoint.accept(Failpoint.CONFIGURATION_AFTER_SWAP);
    keeper.change(keeper.state().with(system, prepared.held(), false));
    care.replaced(system);
    announcements.changed();
    LOG.info("{}: version {} serves", system, prepared.held().version());
    return Optional.empty();
  }

  /// Why a tombstone of this version does not count; empty = it does.
  Optional<Refusal> notRemoved(ConfigurationLine line, String system, long version) {
    if (isExpired(line)) {
      return Optional.of(expired());
    }
    boolean listed =
        newest.get().map(it -> it.systems().get(system)).orElse(null)
                instanceof HeadManifest.Tombstone tombstone
            && tombstone.version() == version;
    return listed
        ? Optional.empty()
        : Optional.of(
            new Refusal(Reason.NOT_LISTED, "the head lists no tombstone of version " + version));
  }

  void remove(String system, HeldVersion tombstone) {
    deployments.remove(system);
    keeper.change(keeper.state().with(system, tombstone, true));
    care.replaced(system);
    announcements.changed();
    LOG.info("{}: removed", system);
  }
}
