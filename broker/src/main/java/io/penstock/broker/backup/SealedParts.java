package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.broker.backup.BackupException.Reason;
import io.penstock.broker.store.Migrations.Schema;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.PassphraseKey;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SecretBox;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import javax.crypto.SecretKey;

/// A stream in sealed parts behind a [BackupHeader]:
///
/// ```
/// part = index 8 │ last 1 │ length 4 │ SecretBox (nonce 12 │ ciphertext │ tag 16)
/// ```
///
/// AES-256-GCM under the passphrase's key; the additional data are the header's hash, the index and
/// the last mark, so a part of another backup, in another place, or missing at the end is told from
/// one that was changed.
public final class SealedParts {
  static final int PART_BYTES = 1 << 20;

  /// Nonce and tag.
  private static final int OVERHEAD = 12 + 16;

  private static final byte[] CHECK = "penstock backup passphrase 1".getBytes(UTF_8);
  private static final byte[] PART = "penstock backup part 1".getBytes(UTF_8);

  private SealedParts() {}

  /// What is written to the answer is sealed to `out`; closing it writes the last part and closes
  /// `out`.
  ///
  /// @param passphrase the caller wipes it
  public static OutputStream sealing(
      OutputStream out, byte[] passphrase, Schema schema, Instant now, SecureRandom random)
      throws IOException {
    PassphraseKey parameters = PassphraseKey.fresh(random);
    SecretKey key = parameters.derive(passphrase);
    var header =
        new BackupHeader(
            BackupHeader.FORMAT,
            schema.version(),
            schema.digest(),
            now.toString(),
            parameters,
            Octets.of(SecretBox.seal(key, CHECK, new byte[0], random)));
    return new Sealing(new DataOutputStream(out), key, header.writeTo(out), random);
  }

  /// The header alone, which nobody has vouched for yet.
  public static BackupHeader header(InputStream in) throws IOException {
    return BackupHeader.read(in).header();
  }

  /// What was sealed; reading throws [BackupException] at the first thing that is not as it was.
  /// Only a stream that was read to its end is known to be whole.
  ///
  /// @param passphrase the caller wipes it
  public static InputStream opening(InputStream in, byte[] passphrase) throws IOException {
    BackupHeader.Read read = BackupHeader.read(in);
    SecretKey key = read.header().key().derive(passphrase);
    try {
      SecretBox.open(key, CHECK, read.header().check().bytes());
    } catch (SealException _) {
      throw new BackupException(
          Reason.PASSPHRASE,
          "the passphrase does not open the backup: it is another one, or the header was altered");
    }
    return new Opening(new DataInputStream(in), key, read.sha256());
  }

  private static byte[] context(Octets header, long index, boolean last) {
    return ByteBuffer.allocate(PART.length + header.length() + Long.BYTES + 1)
        .put(PART)
        .put(header.bytes())
        .putLong(index)
        .put((byte) (last ? 1 : 0))
        .array();
  }

  private static final class Sealing extends OutputStream {
    private final DataOutputStream out;
    private final SecretKey key;
    private final Octets header;
    private final SecureRandom random;
    private final byte[] part = new byte[PART_BYTES];
    private int filled;
    private long index;
    private boolean closed;

    Sealing(DataOutputStream out, SecretKey key, Octets header, SecureRandom random) {
      this.out = out;
      this.key = key;
      this.header = header;
      this.random = random;
    }

    @Override
    public void write(int octet) throws IOException {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      int done = 0;
      while (done < length) {
        if (filled == part.length) {
          seal(false);
        }
        int now = Math.min(length - done, part.length - filled);
        System.arraycopy(bytes, offset + done, part, filled, now);
        filled += now;
        done += now;
      }
    }

    private void seal(boolean last) throws IOException {
      byte[] box =
          SecretBox.seal(key, context(header, index, last), Arrays.copyOf(part, filled), random);
      out.writeLong(index);
      out.writeByte(last ? 1 : 0);
      out.writeInt(box.length);
      out.write(box);
      Arrays.fill(part, 0, filled, (byte) 0);
      filled = 0;
      index++;
    }

    @Override
    public void close() throws IOException {
      if (closed) {
        return;
      }
      closed = true;
      try (out) {
        seal(true);
      }
    }
  }

  private static final class Opening extends InputStream {
    private final DataInputStream in;
    private final SecretKey key;
    private final Octets header;
    private byte[] part = new byte[0];
    private int taken;
    private long index;
    private boolean ended;

    Opening(DataInputStream in, SecretKey key, Octets header) {
      this.in = in;
      this.key = key;
      this.header = header;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      while (taken == part.length) {
        if (ended) {
          return -1;
        }
        next();
      }
      int now = Math.min(length, part.length - taken);
      System.arraycopy(part, taken, bytes, offset, now);
      taken += now;
      return now;
    }

    private void next() throws IOException {
      long found;
      boolean last;
      byte[] box;
      try {
        found = in.readLong();
        int mark = in.readUnsignedByte();
        int length = in.readInt();
        if (mark > 1 || length < OVERHEAD || length > PART_BYTES + OVERHEAD) {
          throw altered();
        }
        last = mark == 1;
        box = new byte[length];
        in.readFully(box);
      } catch (EOFException _) {
        throw new BackupException(
            Reason.CUT,
            "the backup is cut: its part "
                + index
                + " is not whole, and none before it is the last");
      }
      byte[] opened = open(found, last, box);
      if (found != index) {
        throw new BackupException(
            Reason.REORDERED,
            "the backup's parts are out of order: expected part " + index + ", found " + found);
      }
      if (last && in.read() >= 0) {
        throw new BackupException(
            Reason.TRAILING, "something follows the backup's last part, " + index);
      }
      Arrays.fill(part, (byte) 0);
      part = opened;
      taken = 0;
      ended = last;
      index++;
    }

    private byte[] open(long found, boolean last, byte[] box) {
      try {
        return SecretBox.open(key, context(header, found, last), box);
      } catch (SealException _) {
        throw altered();
      }
    }

    private BackupException altered() {
      return new BackupException(Reason.ALTERED, "the backup was altered in its part " + index);
    }

    @Override
    public void close() throws IOException {
      Arrays.fill(part, (byte) 0);
      in.close();
    }
  }
}
