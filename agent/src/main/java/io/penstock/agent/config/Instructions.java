package io.penstock.agent.config;

import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Keyset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Follows instructions, each once: who asks again hears what came of it. Of the configuration's
/// thread.
final class Instructions {
  private static final int MAX_REMEMBERED = 256;
  private static final Duration REPLACED_WITHIN = Duration.ofSeconds(10);

  /// In the workshop's line of its own: no system is called so.
  private static final String IDENTITY = "*identity";

  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final NewestHead newest;
  private final Announcements announcements;
  private final InstanceCare care;
  private final Workshop workshop;
  private final Supplier<String> diagnostics;

  private final Map<String, String> results =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  /// Whom to tell the result of what is under way.
  private final Map<String, List<Asker>> underWay = new HashMap<>();

  private record Asker(ConfigurationLine line, long sequence) {
    void tell(String result) {
      line.receipt(sequence, DeliveryReceipt.result(result));
    }
  }

  Instructions(
      NewestHead newest,
      Announcements announcements,
      InstanceCare care,
      Workshop workshop,
      Supplier<String> diagnostics) {
    this.newest = newest;
    this.announcements = announcements;
    this.care = care;
    this.workshop = workshop;
    this.diagnostics = diagnostics;
  }

  void follow(ConfigurationLine line, long sequence, Instruction instruction) {
    var asker = new Asker(line, sequence);
    Keyset keyset = newest.keyset().orElse(line.keyset());
    Optional<String> refusal = WipeOrders.refusal(line, keyset, instruction);
    if (refusal.isPresent()) {
      LOG.warn("instruction {}: {}", instruction.kind().text(), refusal.get());
      asker.tell(refusal.get());
      return;
    }
    String known = results.get(instruction.id());
    if (known != null) {
      LOG.info("instruction {}, again: {}", instruction.kind().text(), known);
      asker.tell(known);
      if (instruction.kind() == InstructionKind.WIPE) {
        // Its tunnel ended before the slot heard of it.
        line.wipe();
      }
      return;
    }
    List<Asker> others = underWay.get(instruction.id());
    if (others != null) {
      others.add(asker);
      return;
    }
    underWay.put(instruction.id(), new ArrayList<>(List.of(asker)));
    var _ = result(line, instruction).thenAccept(result -> done(line, instruction, result));
  }

  private void done(ConfigurationLine line, Instruction instruction, String result) {
    LOG.info("instruction {}: {}", instruction.kind().text(), result);
    results.put(instruction.id(), result);
    List<Asker> askers = underWay.remove(instruction.id());
    if (askers != null) {
      askers.forEach(it -> it.tell(result));
    }
    afterReceipt(line, instruction);
  }

  private CompletableFuture<String> result(ConfigurationLine line, Instruction instruction) {
    try {
      return switch (instruction.kind()) {
        case RESTART_PLUGIN -> restartPlugin(Optional.ofNullable(instruction.system()));
        case RECONNECT -> done("reconnects");
        case COLLECT_DIAGNOSTICS -> done(bounded(diagnostics.get()));
        case ROTATE_KEYS -> rotateKeys(line, instruction.id());
        case WIPE -> done("wipes everything and ends");
        case UNKNOWN -> done(DeliveryReceipt.UNKNOWN);
      };
    } catch (RuntimeException bug) {
      LOG.error("instruction {}: internal error", instruction.kind().text(), bug);
      return done("internal error");
    }
  }

  private static CompletableFuture<String> done(String result) {
    return CompletableFuture.completedFuture(result);
  }

  /// What would cut the tunnel before the receipt has left.
  private void afterReceipt(ConfigurationLine line, Instruction instruction) {
    switch (instruction.kind()) {
      case RECONNECT -> announcements.lines().forEach(ConfigurationLine::reconnect);
      case WIPE -> line.wipe();
      case RESTART_PLUGIN, COLLECT_DIAGNOSTICS, ROTATE_KEYS, UNKNOWN -> {}
    }
  }

  private CompletableFuture<String> restartPlugin(Optional<String> system) {
    List<CompletableFuture<String>> restarts = care.restart(system);
    if (restarts.isEmpty()) {
      return done(
          bounded("no deployed system runs here" + system.map(it -> " as " + it).orElse("")));
    }
    return CompletableFuture.allOf(restarts.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            _ ->
                bounded(
                    String.join("; ", restarts.stream().map(CompletableFuture::join).toList())));
  }

  private CompletableFuture<String> rotateKeys(ConfigurationLine line, String id) {
    var result = new CompletableFuture<String>();
    workshop.begin(
        IDENTITY,
        () -> {
          String text = replacedKeys(line, id);
          return () -> result.complete(text);
        });
    return result;
  }

  private static String replacedKeys(ConfigurationLine line, String id) {
    try {
      return line.replaceIdentity(id, REPLACED_WITHIN)
          .map(why -> "the identity keys are not replaced: " + why)
          .orElse("new sealing and signing keys; the tunnels are renewed one by one");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return "the agent stops";
    }
  }

  private static String bounded(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= 1_000 ? line : line.substring(0, 999) + "…";
  }
}
