package io.penstock.broker.backup;

/// A file that is not restored, with the reason; or a broker that cannot take it. The message is
/// for the operator and holds nothing of the content.
public final class BackupException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;

  /// What is wrong.
  public enum Reason {
    /// No backup of Penstock's at all.
    NOT_A_BACKUP,
    /// Of a format that this version does not know.
    FORMAT,
    PASSPHRASE,
    ALTERED,
    REORDERED,
    CUT,
    /// Something follows the part that says that it is the last.
    TRAILING,
    /// Another version of the broker has written it.
    SCHEMA,
    /// The broker to restore into holds something.
    NOT_EMPTY,
    /// What cannot be done at this moment.
    BUSY
  }

  public BackupException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
