package io.penstock.broker.audit;

import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ExportLine;
import io.penstock.codec.seal.Octets;
import java.util.LinkedHashMap;
import java.util.Map;

/// One record of the topic: an export's line, with what a consumer sorts by beside it.
///
/// @param key no two different lines have the same, so that no setting of the topic thins them out
/// @param headers of the record
/// @param text the line as an export has it
record ShippedLine(String key, Map<String, String> headers, String text) {
  static final String KIND = "penstock-line";
  static final String POSITION = "position";

  ShippedLine {
    headers = Map.copyOf(headers);
  }

  static ShippedLine entry(ExportLine.Sealed line, Octets previousHash) {
    ChainEntry entry = line.entry();
    var headers = new LinkedHashMap<String, String>();
    headers.put(KIND, "entry");
    headers.put(POSITION, Long.toString(entry.position()));
    headers.put("id", Long.toString(entry.id()));
    headers.put("hash", entry.hash().base64Url());
    headers.put("previous_hash", previousHash.base64Url());
    return new ShippedLine(Long.toString(entry.position()), headers, line.text());
  }

  /// A signed word about all entries up to a position.
  static ShippedLine checkpoint(long number, long position, ExportLine line) {
    return new ShippedLine(
        "checkpoint-" + number,
        Map.of(KIND, "checkpoint", POSITION, Long.toString(position), "number", number + ""),
        line.text());
  }

  /// Roughly what it takes in memory.
  int size() {
    return text.length() + 512;
  }
}
