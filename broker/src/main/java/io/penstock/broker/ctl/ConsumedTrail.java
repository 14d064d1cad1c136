package io.penstock.broker.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ExportLine;
import io.penstock.codec.seal.SealException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A first look at what was stored of the Kafka topic: its newest header, and where it begins.
/// Neither is believed before the header's signatures are.
///
/// @param newest the header that speaks for most entries
/// @param first its first entry
record ConsumedTrail(Optional<ExportLine.Header> newest, Optional<ChainEntry> first) {

  static ConsumedTrail of(Path file) throws IOException {
    Optional<ExportLine.Header> newest = Optional.empty();
    Optional<ChainEntry> first = Optional.empty();
    try (BufferedReader lines = Files.newBufferedReader(file, UTF_8)) {
      Optional<String> line = ExportCheck.next(lines);
      while (line.isPresent()) {
        Optional<ExportLine> parsed = parsed(line.get());
        if (parsed.orElse(null) instanceof ExportLine.Header header
            && newest.filter(it -> it.upTo() > header.upTo()).isEmpty()) {
          newest = Optional.of(header);
        }
        if (first.isEmpty() && parsed.orElse(null) instanceof ExportLine.Sealed sealed) {
          first = Optional.of(sealed.entry());
        }
        line = ExportCheck.next(lines);
      }
    }
    return new ConsumedTrail(newest, first);
  }

  /// What is none is named when the lines are judged one by one.
  private static Optional<ExportLine> parsed(String line) {
    try {
      return Optional.of(ExportLine.parse(line));
    } catch (SealException _) {
      return Optional.empty();
    }
  }
}
