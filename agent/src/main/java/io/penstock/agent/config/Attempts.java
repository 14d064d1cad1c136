package io.penstock.agent.config;

import io.penstock.agent.config.Preparation.RefusedException;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.link.LinkFailure;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.ConfigurationCheck;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Receipt.Reason;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// From a version that is wanted to an instance that nobody can call yet: fetches its document if
/// none came, and prepares it. A few at a time, because each may hold a document in memory. Has no
/// effect outside; blocks; any thread.
final class Attempts {
  static final Duration FETCH_WITHIN = Duration.ofSeconds(10);
  private static final int FETCHES_AT_ONCE = 4;

  /// Many more than fetches, so that versions that wait for a slow store of secrets leave room.
  private static final int AT_ONCE = 24;

  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final NewestHead newest;
  private final StateKeeper keeper;
  private final Preparation preparation;
  private final Deployments deployments;
  private final Semaphore fetches = new Semaphore(FETCHES_AT_ONCE);
  private final Semaphore room = new Semaphore(AT_ONCE);

  Attempts(
      NewestHead newest, StateKeeper keeper, Preparation preparation, Deployments deployments) {
    this.newest = newest;
    this.keeper = keeper;
    this.preparation = preparation;
    this.deployments = deployments;
  }

  /// @param held by its header, if a document came or the head lists it; else zeros
  /// @param document null = it is fetched
  /// @param memory of [Deployments] when it was wanted
  record Wanted(
      ConfigurationLine line,
      String system,
      HeldVersion held,
      @Nullable ConfigurationDocument document,
      long memory) {}

  sealed interface Outcome {
    record Ready(Prepared prepared) implements Outcome {}

    record Refused(HeldVersion held, Refusal refusal) implements Outcome {}

    /// Everything was forgotten meanwhile, and this with it.
    record Forgotten() implements Outcome {}

    /// The document does not come, for now.
    record NotFetched(String why) implements Outcome {}
  }

  Outcome of(Wanted wanted) {
    room.acquireUninterruptibly();
    HeldVersion held = wanted.held();
    try {
      ConfigurationDocument document = wanted.document();
      if (document == null) {
        document = fetched(wanted);
      }
      held = new HeldVersion(held.version(), ConfigurationHeader.hashOf(document.header()));
      Prepared prepared = prepared(wanted, document);
      return deployments.keep(prepared, wanted.memory())
          ? new Outcome.Ready(prepared)
          : new Outcome.Forgotten();
    } catch (RefusedException refused) {
      return new Outcome.Refused(held, refused.refusal());
    } catch (LinkFailure broken) {
      return new Outcome.NotFetched(broken.text());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return new Outcome.NotFetched("the agent stops");
    } catch (RuntimeException | Error bug) {
      LOG.error("{}: internal error", wanted.system(), bug);
      return new Outcome.Refused(held, new Refusal(Reason.START_FAILED, "internal error"));
    } finally {
      room.release();
    }
  }

  private ConfigurationDocument fetched(Wanted wanted)
      throws LinkFailure, InterruptedException, RefusedException {
    long version = wanted.held().version();
    fetches.acquire();
    try {
      return wanted
          .line()
          .fetch(wanted.system(), version, FETCH_WITHIN)
          .orElseThrow(
              () ->
                  new RefusedException(
                      Reason.NOT_LISTED, "the broker has no document of version " + version));
    } finally {
      fetches.release();
    }
  }

  private Prepared prepared(Wanted wanted, ConfigurationDocument document) throws RefusedException {
    ConfigurationLine line = wanted.line();
    String system = wanted.system();
    HeadManifest head =
        newest
            .get()
            .orElseThrow(
                () -> new RefusedException(Reason.NOT_LISTED, "this agent has seen no head yet"));
    if (head.isExpiredAt(line.serverTime())) {
      throw new RefusedException(Reason.NOT_LISTED, "the newest head has expired");
    }
    var check =
        new ConfigurationCheck(
            line.agent(),
            line.generation(),
            system,
            newest.keyset().orElse(line.keyset()),
            head,
            keeper.state().floor(system));
    return preparation.prepare(check, line.sealing(), deployments.running(system), document);
  }
}
