package io.penstock.codec.audit;

import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.util.Arrays;

/// A record's place in the chain. Places count from 1 without a hole; the numbers of records rise
/// from place to place, with holes where a transaction came to nothing.
///
/// @param id the record's number in its table
/// @param hash over the hash before it, this place, and the record
public record ChainEntry(long position, long id, Kind kind, Octets hash) {
  private static final String ENCODING = "penstock audit chain 1";
  private static final int HASH_BYTES = 32;

  /// What the first entry follows.
  public static final Octets NOTHING_BEFORE = Octets.of(new byte[HASH_BYTES]);

  /// Whose record it was when it took its place.
  public enum Kind {
    /// The broker's: its MAC was right.
    BROKER("broker"),
    /// Older than the chain, from a time when records had no MAC: only ever the first ones.
    BEFORE("before"),
    /// Not written by the broker, or changed before it took its place.
    FOREIGN("foreign");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }

    public static Kind of(String text) {
      return Arrays.stream(values())
          .filter(kind -> kind.text.equals(text))
          .findFirst()
          .orElseThrow(() -> new SealException("an entry of another kind than the known ones"));
    }
  }

  public ChainEntry {
    if (position < 1) {
      throw new SealException("an entry's position: expected 1 or more, found " + position);
    }
    hash.requireLength(HASH_BYTES, "an entry's hash");
  }

  /// The entry of a record at a place.
  ///
  /// @param previous hash of the entry before, [#NOTHING_BEFORE] at position 1
  public static ChainEntry of(Octets previous, long position, long id, Kind kind, Octets digest) {
    Octets hash =
        new RecordBytes(ENCODING)
            .bytes(previous.bytes())
            .number(position)
            .number(id)
            .text(kind.text())
            .bytes(digest.bytes())
            .sha256();
    return new ChainEntry(position, id, kind, hash);
  }
}
