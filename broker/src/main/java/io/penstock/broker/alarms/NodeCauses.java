package io.penstock.broker.alarms;

import io.penstock.broker.alarms.Rule.Look;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable.Cause;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What goes wrong with this node itself.
final class NodeCauses {
  private static final Logger LOG = LoggerFactory.getLogger(NodeCauses.class);

  /// More than the limit has to be free again.
  private static final double DISK_MARGIN = 0.02;

  private final Node node;
  private final DatabaseWatch database;

  /// @param certificates that the public port shows
  /// @param keysetExpiresAt in seconds since 1970
  /// @param data directory whose disk is looked at
  /// @param diskFree the least share that has to be free; 0 = any
  record Node(
      String subject,
      Supplier<List<X509Certificate>> certificates,
      LongSupplier keysetExpiresAt,
      Path data,
      int certificateDays,
      double diskFree) {}

  NodeCauses(Node node, DatabaseWatch database) {
    this.node = node;
    this.database = database;
  }

  List<Rule> rules() {
    return List.of(
        new Rule(AlarmKind.CERTIFICATE_EXPIRING, this::certificates),
        new Rule(AlarmKind.KEYSET_EXPIRING, this::keyset),
        new Rule(AlarmKind.DISK_LOW, this::disk),
        new Rule(AlarmKind.DATABASE_AWAY, _ -> outage()));
  }

  private List<Cause> certificates(Look look) {
    return node.certificates().get().stream()
        .min(Comparator.comparing(X509Certificate::getNotAfter))
        .filter(it -> isSoon(it.getNotAfter().toInstant(), look.now()))
        .map(
            it ->
                "the certificate of "
                    + it.getSubjectX500Principal()
                    + " expires at "
                    + it.getNotAfter().toInstant())
        .map(message -> Cause.of(AlarmKind.CERTIFICATE_EXPIRING, node.subject(), message))
        .stream()
        .toList();
  }

  private List<Cause> keyset(Look look) {
    Instant end = Instant.ofEpochSecond(node.keysetExpiresAt().getAsLong());
    return isSoon(end, look.now())
        ? List.of(
            Cause.of(AlarmKind.KEYSET_EXPIRING, node.subject(), "the keyset expires at " + end))
        : List.of();
  }

  private boolean isSoon(Instant end, Instant now) {
    return !end.isAfter(now.plus(Duration.ofDays(node.certificateDays())));
  }

  private List<Cause> disk(Look look) {
    if (node.diskFree() == 0) {
      return List.of();
    }
    double least = node.diskFree() + (look.isRaised(node.subject()) ? DISK_MARGIN : 0);
    return free()
        .filter(share -> share < least)
        .map(
            share ->
                Cause.of(
                    AlarmKind.DISK_LOW,
                    node.subject(),
                    String.format(
                        Locale.ROOT, "%.1f %% of the data directory's disk is free", share * 100)))
        .stream()
        .toList();
  }

  private Optional<Double> free() {
    try {
      FileStore store = Files.getFileStore(node.data());
      long total = store.getTotalSpace();
      return total <= 0 ? Optional.empty() : Optional.of((double) store.getUsableSpace() / total);
    } catch (IOException e) {
      LOG.warn("the disk of {} cannot be asked for its space: {}", node.data(), e.toString());
      return Optional.empty();
    }
  }

  /// There for one look; then it is calm.
  private List<Cause> outage() {
    return database
        .ended()
        .map(
            it ->
                Cause.of(
                    AlarmKind.DATABASE_AWAY,
                    node.subject(),
                    "Postgres did not answer, or took no writes, for "
                        + it.lasted().toSeconds()
                        + " s, until "
                        + it.until()))
        .stream()
        .toList();
  }
}
