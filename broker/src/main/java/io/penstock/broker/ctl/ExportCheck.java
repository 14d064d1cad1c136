package io.penstock.broker.ctl;

import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ChainCheck;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ChainEntry.Kind;
import io.penstock.codec.audit.ExportLine;
import io.penstock.codec.audit.Finding;
import io.penstock.codec.audit.Finding.What;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootChain;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Looks at an export line by line, by nothing but a root's hash. Holds one line at a time.
///
/// Time is not asked: an export stays what it was when its keyset expires. It was valid when the
/// newest checkpoint was signed.
final class ExportCheck {
  private static final int MAX_FOREIGN = 1_000;

  /// Longer ones are no broker's.
  private static final int MAX_LINE_CHARS = 64 << 20;

  private final ExportLine.Header header;
  private final Keyset keyset;
  private final AuditCheckpoint newest;
  private final ChainCheck check;
  private long firstPosition;
  private int ofOlderKeys;
  private boolean ended;
  private boolean consumed;
  private long repeated;
  private long notCovered;
  private final List<Finding> foreign = new ArrayList<>();
  private long foreignCount;

  /// @param foreign records that are sealed as not the broker's, the first ones
  /// @param foreignCount how many there are of them
  /// @param ofOlderKeys checkpoints whose keys the keyset no longer lists; the newest speaks for
  ///     them
  /// @param repeated lines of a topic that a consumer passes over
  /// @param notCovered entries of a topic that no checkpoint in it covers yet
  record Result(
      Optional<Finding> bad,
      List<Finding> foreign,
      long foreignCount,
      long firstPosition,
      long position,
      Octets rootSha256,
      long keysetVersion,
      AuditCheckpoint checkpoint,
      int ofOlderKeys,
      long repeated,
      long notCovered) {
    Result {
      foreign = List.copyOf(foreign);
    }
  }

  private ExportCheck(
      ExportLine.Header header, Octets pinnedRootSha256, Optional<ChainEntry> begin) {
    this.header = header;
    RootChain.requireLeadsTo(header.root(), header.rootLinks(), pinnedRootSha256);
    keyset = Keyset.verifyIgnoringTime(header.keysetJws(), header.root());
    newest = AuditCheckpoint.verify(header.checkpointJws(), keyset);
    if (newest.issuedAtEpochSeconds() >= keyset.expiresEpochSeconds()) {
      throw new SealException("the newest checkpoint is signed after the keyset had expired");
    }
    check = begin.map(this::beginningWith).orElseGet(() -> ChainCheck.from(Optional.of(newest)));
    firstPosition = check.position() + 1;
    if (check.position() > newest.position()) {
      throw new SealException(
          "its newest checkpoint is about position "
              + newest.position()
              + ", its first record is after that");
    }
  }

  /// A topic may begin elsewhere than the newest checkpoint says. The hash of its first entry is
  /// then proved by what follows, what the record of that entry says is not.
  private ChainCheck beginningWith(ChainEntry first) {
    if (first.position() == newest.beginsAfter() + 1) {
      return ChainCheck.from(Optional.of(newest));
    }
    return first.position() == 1
        ? ChainCheck.fromTheFirst(newest)
        : ChainCheck.after(first, Optional.of(newest));
  }

  /// Throws [SealException] when it is not the owner's of this root, or no export.
  static Result of(Path file, Octets pinnedRootSha256, long atLeast) throws IOException {
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      Optional<String> first = next(lines);
      if (first.isEmpty() || !(ExportLine.parse(first.get()) instanceof ExportLine.Header header)) {
        throw new SealException("its first line is not an export's header");
      }
      var check = new ExportCheck(header, pinnedRootSha256, Optional.empty());
      Optional<Finding> bad = check.read(lines);
      return check.result(bad.isPresent() ? bad : check.end(atLeast));
    }
  }

  /// [#of] for what a consumer has stored of the Kafka topic: lines come twice, checkpoints stand
  /// behind what they cover, and there is no end. The newest header speaks for all before it.
  static Result ofConsumed(Path file, Octets pinnedRootSha256, long atLeast) throws IOException {
    ConsumedTrail trail = ConsumedTrail.of(file);
    ExportLine.Header header =
        trail
            .newest()
            .orElseThrow(
                () -> new SealException("it has no checkpoint with what that is believed by"));
    var check = new ExportCheck(header, pinnedRootSha256, trail.first());
    check.consumed = true;
    check.ended = true;
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      Optional<Finding> bad = check.read(lines);
      return check.result(bad.isPresent() ? bad : check.end(atLeast));
    }
  }

  private Result result(Optional<Finding> bad) {
    return new Result(
        bad,
        foreign,
        foreignCount,
        firstPosition,
        check.position(),
        header.root().sha256(),
        keyset.version(),
        newest,
        ofOlderKeys,
        repeated,
        notCovered);
  }

  private Optional<Finding> read(BufferedReader lines) throws IOException {
    Optional<String> line = next(lines);
    while (line.isPresent()) {
      Optional<Finding> bad = judge(line.get());
      if (bad.isPresent()) {
        return Optional.of(moved(bad.get(), lines));
      }
      line = next(lines);
    }
    return Optional.empty();
  }

  private Optional<Finding> judge(String line) {
    ExportLine parsed;
    try {
      parsed = ExportLine.parse(line);
    } catch (SealException e) {
      return Optional.of(
          new Finding(What.CHANGED, check.position() + 1, 0, String.valueOf(e.getMessage())));
    }
    if (consumed) {
      return judgeConsumed(parsed);
    }
    if (ended) {
      return Optional.of(
          new Finding(What.INSERTED, check.position(), 0, "a line follows the export's end"));
    }
    return switch (parsed) {
      case ExportLine.Header _ ->
          Optional.of(new Finding(What.INSERTED, check.position(), 0, "a second header"));
      case ExportLine.Sealed it when it.entry().position() > newest.position() ->
          Optional.of(
              new Finding(
                  What.INSERTED,
                  it.entry().position(),
                  it.entry().id(),
                  "no checkpoint covers it: the newest is about position " + newest.position()));
      case ExportLine.Sealed it -> sealed(it);
      case ExportLine.Unchained it -> check.unchained(it.id());
      case ExportLine.Checkpoint it -> checkpoint(it.jws());
      case ExportLine.End it -> {
        ended = true;
        yield it.position() == check.position() ? Optional.empty() : otherEnd(it.position());
      }
    };
  }

  /// A consumer takes the next position only: what comes twice, or too early after an interrupted
  /// sending, stands in its place elsewhere.
  private Optional<Finding> judgeConsumed(ExportLine parsed) {
    return switch (parsed) {
      case ExportLine.Header it -> checkpoint(it.checkpointJws());
      case ExportLine.Checkpoint it -> checkpoint(it.jws());
      case ExportLine.Sealed it when it.entry().position() != check.position() + 1 -> {
        repeated++;
        yield Optional.empty();
      }
      case ExportLine.Sealed it when it.entry().position() > newest.position() -> {
        notCovered++;
        yield Optional.empty();
      }
      case ExportLine.Sealed it -> sealed(it);
      case ExportLine.Unchained _, ExportLine.End _ ->
          Optional.of(
              new Finding(What.INSERTED, check.position(), 0, "a line that the topic never has"));
    };
  }

  /// What is sealed as foreign is told of and does not hide what follows.
  private Optional<Finding> sealed(ExportLine.Sealed line) {
    Optional<Finding> bad = check.entry(line.entry(), line.found());
    boolean known = line.entry().kind() == Kind.FOREIGN;
    if (!known || bad.isEmpty() || bad.get().what() != What.INSERTED) {
      return bad;
    }
    Optional<Finding> beyond = check.foreign(line.entry(), line.found());
    if (check.position() == line.entry().position()) {
      foreignCount++;
      if (foreign.size() < MAX_FOREIGN) {
        foreign.add(bad.get());
      }
    }
    return beyond;
  }

  private Optional<Finding> otherEnd(long position) {
    Optional<Finding> cut = check.end();
    return cut.isPresent()
        ? cut
        : Optional.of(
            new Finding(
                What.CUT,
                check.position() + 1,
                0,
                "the entries end at position "
                    + check.position()
                    + ", the export's end says "
                    + position));
  }

  private Optional<Finding> checkpoint(String jws) {
    try {
      String kid = SignedDocument.keyIdOf(jws, DocumentType.AUDIT_CHECKPOINT);
      if (keyset.keysFor(KeyUse.CHECKPOINT).apply(kid).isEmpty()) {
        ofOlderKeys++;
        return Optional.empty();
      }
      return check.expect(AuditCheckpoint.verify(jws, keyset));
    } catch (SealException e) {
      return Optional.of(
          new Finding(
              What.FORGED_CHECKPOINT, check.position() + 1, 0, String.valueOf(e.getMessage())));
    }
  }

  /// A record that is missing may stand further below.
  private Finding moved(Finding bad, BufferedReader lines) throws IOException {
    if (bad.what() != What.DELETED || bad.id() != 0 || consumed) {
      return bad;
    }
    Optional<String> line = next(lines);
    while (line.isPresent()) {
      if (isAt(line.get(), bad.position())) {
        return new Finding(What.REORDERED, bad.position(), 0, "it stands behind a later one");
      }
      line = next(lines);
    }
    return bad;
  }

  private static boolean isAt(String line, long position) {
    try {
      return ExportLine.parse(line) instanceof ExportLine.Sealed it
          && it.entry().position() == position;
    } catch (SealException _) {
      return false;
    }
  }

  private Optional<Finding> end(long atLeast) {
    Optional<Finding> bad = check.end();
    if (bad.isPresent()) {
      return bad;
    }
    if (!ended) {
      return Optional.of(
          new Finding(What.CUT, check.position() + 1, 0, "the export has no end: it is cut off"));
    }
    if (newest.position() < atLeast) {
      return Optional.of(
          new Finding(
              What.CUT,
              newest.position() + 1,
              0,
              "its newest checkpoint covers position "
                  + newest.position()
                  + ", expected "
                  + atLeast
                  + " or more"));
    }
    return Optional.empty();
  }

  /// Without its end; empty after the last.
  static Optional<String> next(BufferedReader lines) throws IOException {
    var line = new StringBuilder();
    int c = lines.read();
    if (c < 0) {
      return Optional.empty();
    }
    while (c >= 0 && c != '\n') {
      if (line.length() >= MAX_LINE_CHARS) {
        throw new SealException(
            "a line is longer than " + MAX_LINE_CHARS + " characters: not a broker's export");
      }
      line.append((char) c);
      c = lines.read();
    }
    return Optional.of(line.toString());
  }
}
