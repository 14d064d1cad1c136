package io.penstock.loadtest.demo;

import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.fault.Launch;
import io.penstock.loadtest.fault.Processes;
import io.penstock.loadtest.fault.StartCache;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Makes the start caches: runs the demo once as a training run, and lets java make of its record
/// what later starts take.
@Command(
    name = "penstock warm-up",
    description = {
      "Makes the start caches of broker and agent, so that they start in about half the time: runs"
          + " the demo once in a",
      "temporary directory and keeps what java learnt, beside the jars. Does nothing while the"
          + " caches fit these jars and",
      "this JDK. A build does it by itself; call it after copying jars or changing the JDK, as"
          + " their owner."
    },
    footer = {
      "",
      "Exit codes: 0 fine, 1 failed (everything still works, and starts as slowly as before), 2"
          + " wrong usage."
    })
public final class WarmUp implements Callable<Integer> {
  private static final Duration AT_MOST = Duration.ofMinutes(3);
  private static final int ROUNDS = 100;
  private static final int AGENTS = 32;
  private static final int CONNECTS = 25;
  private static final int FINE = 0;
  private static final int FAILED = 1;

  private final PrintStream err;
  private final ExecutorService makers = Executors.newVirtualThreadPerTaskExecutor();
  private boolean ended;

  @Option(names = "--force", description = "Also if the caches fit.")
  boolean force;

  @Option(names = "--built", hidden = true, description = "Called by the build.")
  boolean built;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  WarmUp(PrintStream err) {
    this.err = err;
  }

  public static void main(String[] args) {
    System.exit(new CommandLine(new WarmUp(System.err)).setUsageHelpWidth(110).execute(args));
  }

  @Override
  public Integer call() throws InterruptedException {
    List<StartCache> caches = StartCache.all(Home.find());
    long start = System.nanoTime();
    try {
      if (!force && allFit(caches)) {
        say("the start caches fit these jars and this JDK");
        return FINE;
      }
      requireWritable(caches);
      say("warming up, so that later starts are quick");
      make(caches);
    } catch (IOException | Steps.StepFailed failure) {
      say(
          "no start caches: "
              + failure.getMessage()
              + "\nEverything works without them; broker and agent only start more slowly."
              + " `./penstock warm-up` tries again.");
      return FAILED;
    }
    say(
        String.format(
            Locale.ROOT, "start caches made in %.0f s", (System.nanoTime() - start) / 1e9));
    return FINE;
  }

  private static boolean allFit(List<StartCache> caches) throws IOException, InterruptedException {
    for (StartCache cache : caches) {
      if (!cache.fits()) {
        return false;
      }
    }
    return true;
  }

  private static void requireWritable(List<StartCache> caches) throws IOException {
    for (StartCache cache : caches) {
      Path place = cache.file().toAbsolutePath().getParent();
      if (place == null || !Files.isWritable(place)) {
        throw new IOException("cannot write " + place + ": warm up as its owner");
      }
    }
  }

  private void make(List<StartCache> caches)
      throws IOException, InterruptedException, Steps.StepFailed {
    DemoDirectory directory = DemoDirectory.temporaryOne();
    DemoRun run =
        new DemoRun(
            Home.find(),
            directory,
            Processes.freePort(),
            new Steps(new PrintStream(PrintStream.nullOutputStream())),
            launch -> recorded(caches, directory, launch));
    Thread onSignal = new Thread(() -> end(run, directory), "warm-up-end");
    Runtime.getRuntime().addShutdownHook(onSignal);
    Thread watchdog = Thread.ofPlatform().daemon().name("warm-up-limit").start(this::endInTime);
    try {
      train(run);
      makeAll(caches, directory);
    } finally {
      watchdog.interrupt();
      if (!end(run, directory)) {
        // The process ends; what failed meanwhile failed because of that.
        Thread.currentThread().join();
      }
    }
  }

  /// The demo without its bulk; its calls, and agents that come back, often enough for java to know
  /// what its work is. The records are written when broker and agent end.
  private static void train(DemoRun run) throws Steps.StepFailed {
    try {
      run.prepare();
      run.rehearse(ROUNDS);
      run.rehearseComingBack(AGENTS, CONNECTS);
    } finally {
      run.close();
    }
  }

  private static Launch recorded(List<StartCache> caches, DemoDirectory directory, Launch launch) {
    return caches.stream()
        .filter(cache -> cache.module().equals(launch.module()))
        .findFirst()
        .map(cache -> cache.recording(launch, record(directory, cache)))
        .orElse(launch)
        .variable("PENSTOCK_METRICS_PORT", "0");
  }

  private static Path record(DemoDirectory directory, StartCache cache) {
    return directory.path().resolve(cache.module() + ".aotconf");
  }

  /// First everything that runs, then what it wrote. Whoever comes second waits until it is done.
  ///
  /// @return whether this call did it
  private synchronized boolean end(DemoRun run, DemoDirectory directory) {
    if (ended) {
      return false;
    }
    ended = true;
    run.close();
    makers.shutdownNow();
    makers.close();
    try {
      directory.cleanUp();
    } catch (IOException e) {
      say("cannot remove " + directory.path() + ": " + e.getMessage());
    }
    return true;
  }

  /// Side by side: each takes some seconds of one processor.
  private void makeAll(List<StartCache> caches, DemoDirectory directory)
      throws IOException, InterruptedException {
    List<Future<StartCache>> made =
        makers.invokeAll(
            caches.stream()
                .map(cache -> (Callable<StartCache>) () -> made(cache, directory))
                .toList());
    try {
      for (Future<StartCache> one : made) {
        one.get();
      }
    } catch (ExecutionException failed) {
      throw new IOException(failed.getMessage(), failed);
    }
  }

  private static StartCache made(StartCache cache, DemoDirectory directory)
      throws IOException, InterruptedException {
    cache.make(record(directory, cache));
    return cache;
  }

  /// Nobody waits for a cache for ever.
  private void endInTime() {
    try {
      Thread.sleep(AT_MOST);
    } catch (InterruptedException _) {
      return;
    }
    say("no start caches: not done within " + AT_MOST.toSeconds() + " s");
    System.exit(FAILED);
  }

  private void say(String text) {
    err.println("penstock: " + text);
  }
}
