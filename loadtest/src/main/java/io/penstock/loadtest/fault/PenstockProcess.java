package io.penstock.loadtest.fault;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A running broker, agent or ERP. Its standard error goes to its log file; its standard output is
/// kept here, and copied to the log but for JSON lines, which may hold a first password.
public final class PenstockProcess implements AutoCloseable {
  private static final int MOST_LINES = 2_000;
  private static final Duration END_GRACE = Duration.ofSeconds(45);

  private final Launch launch;
  private final Process process;
  private final Path log;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<String> lines = new ArrayDeque<>();
  private boolean ended;
  private boolean frozen;

  private PenstockProcess(Launch launch, Process process, Path log) {
    this.launch = launch;
    this.process = process;
    this.log = log;
  }

  static PenstockProcess start(Launch launch, Home home, Path log) {
    ProcessBuilder builder =
        new ProcessBuilder(launch.command(home))
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    // The caller's own settings are not the child's.
    builder.environment().keySet().removeIf(name -> name.startsWith("PENSTOCK_"));
    builder.environment().putAll(launch.environment());
    try {
      PenstockProcess started = new PenstockProcess(launch, builder.start(), log);
      // Reading a pipe holds a virtual thread's carrier, of which there are as few as processors.
      Thread.ofPlatform().daemon().name(launch.name() + "-output").start(started::readOutput);
      started.writeInput();
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + launch.name(), e);
    }
  }

  private void writeInput() throws IOException {
    try (var out = process.getOutputStream()) {
      out.write(launch.input().orElse("").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      if (process.isAlive()) {
        throw e;
      }
    }
  }

  private void readOutput() {
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        add(line);
      }
    } catch (IOException e) {
      add("cannot read its output: " + e.getMessage());
    } finally {
      end();
    }
  }

  private void add(String line) {
    lock.lock();
    try {
      if (lines.size() == MOST_LINES) {
        lines.removeFirst();
      }
      lines.addLast(line);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (!line.startsWith("{")) {
      copyToLog(line);
    }
  }

  private void copyToLog(String line) {
    try {
      Files.writeString(log, line + "\n", StandardOpenOption.APPEND);
    } catch (IOException gone) {
      // The directory of a test that is over; the line is in memory.
      return;
    }
  }

  private void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  public String name() {
    return launch.name();
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public Path log() {
    return log;
  }

  public CompletableFuture<PenstockProcess> onExit() {
    return process.onExit().thenApply(_ -> this);
  }

  /// Waits for a line of standard output, also one that was printed already. Fails as soon as the
  /// process ends without it.
  public Matcher awaitLine(Pattern pattern, Duration atMost) {
    return findLine(pattern, atMost)
        .orElseThrow(
            () -> new ProcessException(this, "did not print " + pattern + " within " + atMost));
  }

  /// The same, empty if the time passes.
  public Optional<Matcher> findLine(Pattern pattern, Duration atMost) {
    long leftNanos = atMost.toNanos();
    lock.lock();
    try {
      while (true) {
        Optional<Matcher> found = printed(pattern);
        if (found.isPresent()) {
          return found;
        }
        if (ended) {
          throw new ProcessException(this, "ended before it printed " + pattern);
        }
        if (leftNanos <= 0) {
          return Optional.empty();
        }
        leftNanos = changed.awaitNanos(leftNanos);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProcessException(this, "interrupted while waiting for " + pattern);
    } finally {
      lock.unlock();
    }
  }

  private Optional<Matcher> printed(Pattern pattern) {
    return lines.stream().map(pattern::matcher).filter(Matcher::find).findFirst();
  }

  /// What it printed, the newest lines.
  public List<String> lines() {
    lock.lock();
    try {
      return List.copyOf(lines);
    } finally {
      lock.unlock();
    }
  }

  /// All of it, once it prints no more.
  public List<String> awaitOutput(Duration atMost) {
    long leftNanos = atMost.toNanos();
    lock.lock();
    try {
      while (!ended) {
        if (leftNanos <= 0) {
          throw new ProcessException(this, "still prints after " + atMost);
        }
        leftNanos = changed.awaitNanos(leftNanos);
      }
      return List.copyOf(lines);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProcessException(this, "interrupted while waiting for its output");
    } finally {
      lock.unlock();
    }
  }

  /// SIGTERM, which drains.
  public void terminate() {
    process.destroy();
  }

  /// SIGKILL.
  public void kill() {
    process.destroyForcibly();
  }

  /// SIGSTOP: alive, and silent.
  public void freeze() {
    signal("STOP");
    frozen = true;
  }

  /// SIGCONT.
  public void thaw() {
    signal("CONT");
    frozen = false;
  }

  private void signal(String name) {
    try {
      int exitCode =
          new ProcessBuilder("kill", "-" + name, String.valueOf(pid()))
              .inheritIO()
              .start()
              .waitFor();
      if (exitCode != 0) {
        throw new ProcessException(this, "cannot be sent SIG" + name);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProcessException(this, "interrupted while sending SIG" + name);
    }
  }

  public int awaitExit(Duration atMost) {
    try {
      if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new ProcessException(this, "still runs after " + atMost);
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProcessException(this, "interrupted while waiting for its end");
    }
  }

  /// SIGTERM, and SIGKILL for one that does not end in time.
  public void stop(Duration grace) {
    terminate();
    try {
      if (!process.waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        kill();
        process.waitFor();
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
    }
  }

  /// Resident memory now, from the kernel.
  public long residentBytes() {
    try (var status = Files.lines(Path.of("/proc", String.valueOf(pid()), "status"))) {
      return status
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      throw new ProcessException(this, "has no memory to look at: " + e.getMessage());
    }
  }

  /// The end of its log, for people who have to find out why.
  public List<String> logTail(int most) {
    try {
      List<String> all = Files.readAllLines(log, StandardCharsets.UTF_8);
      return all.subList(Math.max(0, all.size() - most), all.size());
    } catch (IOException e) {
      return List.of("(cannot read " + log + ": " + e.getMessage() + ")");
    }
  }

  @Override
  public void close() {
    if (!isAlive()) {
      return;
    }
    if (frozen) {
      kill();
    }
    stop(END_GRACE);
  }
}
