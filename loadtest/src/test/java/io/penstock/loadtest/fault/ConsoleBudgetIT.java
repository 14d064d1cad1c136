package io.penstock.loadtest.fault;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.microsoft.playwright.CDPSession;
import com.microsoft.playwright.Page;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the console may cost: time until it is of use, processor time while it moves, and memory
/// when it is left open. Figures of one machine, so not part of every build.
@Tag("slow")
@Timeout(1_800)
class ConsoleBudgetIT extends ConsoleStory {
  private static final String LATENCY = "/latency?agent=plant-1&system=erp&range=5m";
  private static final int LOADS = 7;
  private static final double USABLE_MS = 1_500;
  private static final Duration LOOK = Duration.ofSeconds(30);
  private static final double PART_OF_A_CORE = 0.3;
  private static final double GROWTH_MB = 10;
  private static final Duration FILLED = Duration.ofMinutes(5);
  private static final long PAUSE_MS = 50;

  @BeforeAll
  void enroll() throws IOException {
    plant.enroll();
  }

  private void call(Page page, long millis) throws IOException {
    long end = System.nanoTime() + Duration.ofMillis(millis).toNanos();
    while (System.nanoTime() < end) {
      assertThat(plant.serves()).isTrue();
      page.waitForTimeout(PAUSE_MS);
    }
  }

  @Test
  @Order(1)
  void isOfUseWithinOneAndAHalfSeconds() throws IOException {
    Page page = admin();
    call(page, 2_000);
    List<Double> times = new ArrayList<>();
    for (int i = 0; i < LOADS; i++) {
      page.navigate("/");
      assertThat(callsTile(page)).isVisible();
      times.add(((Number) page.evaluate("performance.now()")).doubleValue());
    }
    times.sort(null);
    System.out.println("ms from navigation to a page with figures, sorted: " + times);
    assertThat(times.get(LOADS / 2)).isLessThan(USABLE_MS);
  }

  @Test
  @Order(2)
  void movesForLessThanAThirdOfACore() throws IOException {
    for (String path : List.of("/", LATENCY)) {
      Page page = admin();
      page.navigate(path);
      assertThat(page.locator(".pill")).containsText("Live");
      CDPSession devTools = page.context().newCDPSession(page);
      devTools.send("Performance.enable");
      call(page, 5_000);
      double before = seconds(devTools, "TaskDuration");
      long start = System.nanoTime();
      call(page, LOOK.toMillis());
      double part =
          (seconds(devTools, "TaskDuration") - before) / ((System.nanoTime() - start) / 1e9);
      System.out.printf("%s, live: %.1f %% of a core%n", path, 100 * part);
      assertThat(part).isLessThan(PART_OF_A_CORE);
      page.close();
    }
  }

  private static double seconds(CDPSession devTools, String metric) {
    return devTools.send("Performance.getMetrics").getAsJsonArray("metrics").asList().stream()
        .map(it -> it.getAsJsonObject())
        .filter(it -> it.get("name").getAsString().equals(metric))
        .mapToDouble(it -> it.get("value").getAsDouble())
        .findFirst()
        .orElseThrow();
  }

  @Test
  @Order(3)
  void keepsItsSizeWhenItIsLeftOpen() throws IOException {
    long minutes = Long.getLong("penstock.test.soak_minutes", 15);
    Page page = admin();
    page.navigate(LATENCY);
    assertThat(page.locator(".pill")).containsText("Live");
    CDPSession devTools = page.context().newCDPSession(page);
    // What is filled once: the columns of the range, the lists of examples.
    call(page, FILLED.toMillis());
    double before = heapMb(devTools);
    double nodesBefore = nodes(page);
    call(page, Duration.ofMinutes(minutes).toMillis());
    double growth = heapMb(devTools) - before;
    double nodes = nodes(page) - nodesBefore;
    System.out.printf(
        "in %d minutes: heap %.1f MB and %+.1f MB, elements %.0f and %+.0f%n",
        minutes, before, growth, nodesBefore, nodes);
    assertThat(growth).isLessThan(GROWTH_MB);
    assertThat(nodes).isLessThan(1_000);
  }

  private static double heapMb(CDPSession devTools) {
    devTools.send("HeapProfiler.collectGarbage");
    JsonObject usage = devTools.send("Runtime.getHeapUsage");
    return usage.get("usedSize").getAsDouble() / 1e6;
  }

  private static double nodes(Page page) {
    return ((Number) page.evaluate("document.querySelectorAll('*').length")).doubleValue();
  }
}
