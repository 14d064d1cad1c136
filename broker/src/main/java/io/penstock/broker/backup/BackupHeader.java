package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.broker.backup.BackupException.Reason;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.PassphraseKey;
import io.penstock.codec.seal.SealException;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;

/// What stands in the clear in front of a backup: which format and schema it has, when it was made,
/// and how its key is derived. Every sealed part is bound to all of it.
///
/// `magic 16 ‖ length 4 ‖ JSON`.
///
/// @param schema the newest migration of the broker that made it
/// @param schemaDigest of all its migrations
/// @param madeAt ISO 8601
/// @param check a sealed nothing that tells a wrong passphrase from a damaged file
public record BackupHeader(
    int format, int schema, String schemaDigest, String madeAt, PassphraseKey key, Octets check) {
  static final int FORMAT = 1;

  private static final byte[] MAGIC = "penstock-backup\n".getBytes(UTF_8);
  private static final int MAX_JSON = 4096;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /// Only the format, which comes before everything else may be judged.
  private record Version(int format) {}

  /// A header and the bytes that said so.
  record Read(BackupHeader header, Octets sha256) {}

  public Instant made() {
    return Instant.parse(madeAt);
  }

  byte[] encoded() {
    byte[] json;
    try {
      json = JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a header is JSON", e);
    }
    return ByteBuffer.allocate(MAGIC.length + Integer.BYTES + json.length)
        .put(MAGIC)
        .putInt(json.length)
        .put(json)
        .array();
  }

  /// Writes it and answers the hash that parts are bound to.
  Octets writeTo(OutputStream out) throws IOException {
    byte[] encoded = encoded();
    out.write(encoded);
    return Octets.sha256(encoded);
  }

  static Read read(InputStream in) throws IOException {
    var data = new DataInputStream(in);
    byte[] magic = data.readNBytes(MAGIC.length);
    if (!Arrays.equals(magic, MAGIC)) {
      throw new BackupException(Reason.NOT_A_BACKUP, "this is no backup of a Penstock broker");
    }
    byte[] json = json(data);
    BackupHeader header = parse(json);
    Octets sha256 =
        Octets.sha256(
            ByteBuffer.allocate(MAGIC.length + Integer.BYTES + json.length)
                .put(MAGIC)
                .putInt(json.length)
                .put(json)
                .array());
    return new Read(header, sha256);
  }

  private static byte[] json(DataInputStream data) throws IOException {
    int length;
    try {
      length = data.readInt();
    } catch (EOFException _) {
      throw cut();
    }
    if (length < 2 || length > MAX_JSON) {
      throw altered();
    }
    byte[] json = data.readNBytes(length);
    if (json.length < length) {
      throw cut();
    }
    return json;
  }

  private static BackupHeader parse(byte[] json) {
    try {
      int format =
          JSON.readerFor(Version.class)
              .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
              .<Version>readValue(json)
              .format();
      if (format != FORMAT) {
        throw new BackupException(
            Reason.FORMAT, "the backup: expected format " + FORMAT + ", found " + format);
      }
      BackupHeader header = JSON.readValue(json, BackupHeader.class);
      header.made();
      return header;
    } catch (IOException | SealException | DateTimeException _) {
      throw altered();
    }
  }

  private static BackupException altered() {
    return new BackupException(Reason.ALTERED, "the backup's header was altered");
  }

  private static BackupException cut() {
    return new BackupException(Reason.CUT, "the backup is cut: it ends in its header");
  }
}
