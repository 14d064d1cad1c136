package io.penstock.agent.config;

import io.penstock.agent.config.Preparation.RefusedException;
import io.penstock.agent.config.Prepared.Opened;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.agent.link.LinkFailure;
import io.penstock.agent.plugin.SettingsException;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.ControlMessage.TestStage;
import io.penstock.codec.seal.ConfigurationCheck;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Receipt.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tries a version out without serving it: `verify`, `secrets`, then the plugin's own stages, up to
/// the first that fails. Some at a time, each on a virtual thread.
final class SystemTester {
  private static final int AT_ONCE = 4;
  private static final int MAX_DETAIL_CHARS = 300;
  private static final Logger LOG = LoggerFactory.getLogger(SystemTester.class);

  private final SystemCatalog catalog;
  private final Preparation preparation;
  private final Deployments deployments;
  private final NewestHead newest;
  private final StateKeeper keeper;
  private final Duration fetchWithin;
  private final Semaphore room = new Semaphore(AT_ONCE);

  SystemTester(
      SystemCatalog catalog,
      Preparation preparation,
      Deployments deployments,
      NewestHead newest,
      StateKeeper keeper,
      Duration fetchWithin) {
    this.catalog = catalog;
    this.preparation = preparation;
    this.deployments = deployments;
    this.newest = newest;
    this.keeper = keeper;
    this.fetchWithin = fetchWithin;
  }

  /// Empty = there is no such version.
  CompletableFuture<Optional<TestReport>> test(
      ConfigurationLine line, String system, Optional<Long> version) {
    var answer = new CompletableFuture<Optional<TestReport>>();
    if (!room.tryAcquire()) {
      answer.complete(
          Optional.of(report(List.of(failed("verify", 0, "too many tests run at once")))));
      return answer;
    }
    Thread.ofVirtual()
        .name("test-" + system)
        .start(
            () -> {
              try {
                answer.complete(run(line, system, version));
              } catch (RuntimeException bug) {
                LOG.error("{}: its test failed: {}", system, bug.getClass().getName());
                answer.complete(
                    Optional.of(report(List.of(failed("verify", 0, "internal error")))));
              } finally {
                room.release();
              }
            });
    return answer;
  }

  private Optional<TestReport> run(ConfigurationLine line, String system, Optional<Long> version) {
    Optional<Prepared> running = deployments.running(system);
    if (running.isPresent()
        && (version.isEmpty() || version.get() == running.get().held().version())) {
      var stages = new ArrayList<TestStage>();
      stages.add(new TestStage("verify", true, 0, "version " + running.get().held().version()));
      reach(running.get().opened(), stages);
      return Optional.of(report(stages));
    }
    return version.isEmpty() ? Optional.empty() : fetched(line, system, version.get(), running);
  }

  private Optional<TestReport> fetched(
      ConfigurationLine line, String system, long version, Optional<Prepared> running) {
    long startNanos = System.nanoTime();
    var stages = new ArrayList<TestStage>();
    try {
      Optional<ConfigurationDocument> document = line.fetch(system, version, fetchWithin);
      if (document.isEmpty()) {
        return Optional.empty();
      }
      Opened opened =
          preparation.open(
              check(line, system, version, document.get()),
              line.sealing(),
              running,
              document.get());
      stages.add(new TestStage("verify", true, micros(startNanos), "version " + version));
      try {
        reach(opened, stages);
      } finally {
        opened.wipe();
      }
    } catch (RefusedException refused) {
      boolean verified = isAboutSecrets(refused.refusal().reason());
      if (verified) {
        stages.add(new TestStage("verify", true, micros(startNanos), "version " + version));
      }
      stages.add(
          failed(
              verified ? "secrets" : "verify", micros(startNanos), refused.refusal().toString()));
    } catch (LinkFailure broken) {
      stages.add(failed("verify", micros(startNanos), broken.text()));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      stages.add(failed("verify", micros(startNanos), "the agent stops"));
    }
    return Optional.of(report(stages));
  }

  private static boolean isAboutSecrets(Reason reason) {
    return reason == Reason.UNOPENABLE
        || reason == Reason.COMMITMENT_MISMATCH
        || reason == Reason.DESTINATION_WITHOUT_SECRETS;
  }

  /// The head need not list what is only tried: one is made that does.
  private ConfigurationCheck check(
      ConfigurationLine line, String system, long version, ConfigurationDocument document) {
    var listing = new TreeMap<String, HeadManifest.Entry>();
    listing.put(
        system, new HeadManifest.Listed(version, ConfigurationHeader.hashOf(document.header())));
    Keyset keyset = newest.keyset().orElse(line.keyset());
    long generation = Math.max(1, line.generation());
    return new ConfigurationCheck(
        line.agent(),
        generation,
        system,
        keyset,
        new HeadManifest(line.agent(), generation, 1, 1, 0, 1, listing),
        keeper.state().floor(system));
  }

  private void reach(Opened opened, List<TestStage> stages) {
    long startNanos = System.nanoTime();
    try {
      Preparation.Definition as = preparation.define(opened);
      stages.add(
          new TestStage(
              "secrets",
              true,
              micros(startNanos),
              opened.secrets() == null ? "none" : "opened and valid"));
      stages.addAll(catalog.test(as.definition()));
    } catch (RefusedException refused) {
      stages.add(failed("secrets", micros(startNanos), refused.refusal().toString()));
    } catch (SettingsException unusable) {
      stages.add(failed("start", micros(startNanos), String.join("; ", unusable.problems())));
    }
  }

  private static TestReport report(List<TestStage> stages) {
    return new TestReport(stages.stream().allMatch(TestStage::ok), stages);
  }

  private static TestStage failed(String name, long micros, String detail) {
    String line = detail.replaceAll("\\p{Cntrl}+", " ");
    return new TestStage(
        name, false, micros, line.substring(0, Math.min(line.length(), MAX_DETAIL_CHARS)));
  }

  private static long micros(long startNanos) {
    return TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - startNanos);
  }
}
