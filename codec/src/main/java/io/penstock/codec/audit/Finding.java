package io.penstock.codec.audit;

import java.util.Locale;

/// The first thing that is wrong with a chain.
///
/// @param position of the entry; of an unchained record the one of the entry before it
/// @param id of the record, 0 when nobody knows it
/// @param detail for people
public record Finding(What what, long position, long id, String detail) {

  /// What was done to it.
  public enum What {
    /// A record or its entry says something else than when it was sealed.
    CHANGED,
    /// A record or its entry is gone.
    DELETED,
    /// A record that the broker did not write, or that was put between sealed ones.
    INSERTED,
    /// A genuine record in the place of another.
    REORDERED,
    /// The chain ends before a checkpoint that was signed over it.
    CUT,
    /// All of it is older than what this broker has signed since.
    RESTORED,
    /// It hangs together, but is not what was signed: somewhere since the checkpoint before.
    REWRITTEN,
    /// A checkpoint that no key of the owner has signed.
    FORGED_CHECKPOINT;

    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }
}
