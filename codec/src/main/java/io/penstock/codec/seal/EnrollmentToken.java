package io.penstock.codec.seal;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/// The one-time secret that lets a new agent ask for trust, as the text an administrator carries:
/// `pen1.` and base64url of
/// ```
/// +---------+----------+----------------+-------------+-----------+-------+
/// | id (16) | psk (32) | root hash (32) | expiry s(8) | url len 2 | url … |
/// +---------+----------+----------------+-------------+-----------+-------+
/// | CA? (1) | CA hash (32), if CA? is 1 | check (4) |
/// +---------+---------------------------+-----------+
/// ```
/// The check is the head of a SHA-256 over everything before it: it tells a typing mistake from a
/// refusal, it proves nothing. The CA hash is SHA-256 of the DER certificate of the broker's TLS
/// CA, when that is not a public one.
public record EnrollmentToken(
    Octets id,
    TokenSecret secret,
    Octets rootSha256,
    Instant expiresAt,
    String brokerUrl,
    Optional<Octets> caSha256) {

  public static final String PREFIX = "pen1.";
  public static final int ID_BYTES = 16;
  private static final int HASH_BYTES = 32;
  private static final int CHECK_BYTES = 4;
  private static final int FIXED_BYTES =
      ID_BYTES + TokenSecret.BYTES + HASH_BYTES + Long.BYTES + Short.BYTES + 1 + CHECK_BYTES;
  private static final int MAX_URL_BYTES = 1024;
  private static final int MAX_TEXT_CHARS = 4096;

  public EnrollmentToken {
    id.requireLength(ID_BYTES, "a token id");
    rootSha256.requireLength(HASH_BYTES, "a root key hash");
    caSha256.ifPresent(hash -> hash.requireLength(HASH_BYTES, "a CA hash"));
    expiresAt = Instant.ofEpochSecond(expiresAt.getEpochSecond());
    if (brokerUrl.isEmpty() || brokerUrl.getBytes(StandardCharsets.UTF_8).length > MAX_URL_BYTES) {
      throw new SealException("a token's broker URL has 1 to " + MAX_URL_BYTES + " bytes");
    }
  }

  /// The text that is shown once.
  public String text() {
    byte[] url = brokerUrl.getBytes(StandardCharsets.UTF_8);
    var buffer =
        ByteBuffer.allocate(FIXED_BYTES + url.length + (caSha256.isPresent() ? HASH_BYTES : 0));
    byte[] psk = secret.bytes();
    buffer.put(id.bytes()).put(psk).put(rootSha256.bytes()).putLong(expiresAt.getEpochSecond());
    buffer.putShort((short) url.length).put(url);
    buffer.put((byte) (caSha256.isPresent() ? 1 : 0));
    caSha256.ifPresent(hash -> buffer.put(hash.bytes()));
    buffer.put(check(buffer.array(), buffer.position()));
    String text = PREFIX + Base64Url.encode(buffer.array());
    Arrays.fill(psk, (byte) 0);
    Arrays.fill(buffer.array(), (byte) 0);
    return text;
  }

  /// Reads a token as an administrator pasted it; whitespace around it is fine. Throws
  /// [SealException] with a message fit to be shown.
  public static EnrollmentToken parse(String pasted) {
    String text = pasted.strip();
    if (!text.startsWith(PREFIX)) {
      throw new SealException("an enrollment token begins with " + PREFIX);
    }
    if (text.length() > MAX_TEXT_CHARS) {
      throw new SealException("an enrollment token has at most " + MAX_TEXT_CHARS + " characters");
    }
    byte[] bytes = decode(text.substring(PREFIX.length()));
    try {
      return read(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private static byte[] decode(String body) {
    try {
      return Base64Url.decode(body);
    } catch (SealException _) {
      throw mistyped();
    }
  }

  private static EnrollmentToken read(byte[] bytes) {
    int checked = bytes.length - CHECK_BYTES;
    if (bytes.length < FIXED_BYTES
        || !Arrays.equals(
            check(bytes, checked), Arrays.copyOfRange(bytes, checked, bytes.length))) {
      throw mistyped();
    }
    var buffer = ByteBuffer.wrap(bytes, 0, checked);
    try {
      Octets id = Octets.of(take(buffer, ID_BYTES));
      TokenSecret secret = TokenSecret.of(take(buffer, TokenSecret.BYTES));
      Octets root = Octets.of(take(buffer, HASH_BYTES));
      long expires = buffer.getLong();
      String url = utf8(take(buffer, Short.toUnsignedInt(buffer.getShort())));
      Optional<Octets> ca = readCa(buffer);
      return new EnrollmentToken(id, secret, root, expiry(expires), url, ca);
    } catch (BufferUnderflowException e) {
      throw new SealException("the enrollment token is cut short", e);
    }
  }

  private static Optional<Octets> readCa(ByteBuffer buffer) {
    byte flag = buffer.get();
    Optional<Octets> ca =
        flag == 1 ? Optional.of(Octets.of(take(buffer, HASH_BYTES))) : Optional.empty();
    if (flag < 0 || flag > 1 || buffer.hasRemaining()) {
      throw new SealException("the enrollment token is of a newer version");
    }
    return ca;
  }

  private static Instant expiry(long epochSeconds) {
    if (epochSeconds < 0 || epochSeconds > Instant.MAX.getEpochSecond()) {
      throw new SealException("the enrollment token has an impossible expiry");
    }
    return Instant.ofEpochSecond(epochSeconds);
  }

  private static byte[] take(ByteBuffer buffer, int length) {
    if (length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] bytes = new byte[length];
    buffer.get(bytes);
    return bytes;
  }

  private static String utf8(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new SealException("the enrollment token's broker URL is not text", e);
    }
  }

  private static byte[] check(byte[] bytes, int length) {
    var digest = Octets.sha256Digest();
    digest.update(PREFIX.getBytes(StandardCharsets.US_ASCII));
    digest.update(bytes, 0, length);
    return Arrays.copyOf(digest.digest(), CHECK_BYTES);
  }

  private static SealException mistyped() {
    return new SealException(
        "the enrollment token is mistyped or incomplete: its checksum does not match");
  }

  @Override
  public String toString() {
    return "EnrollmentToken[" + id.hex() + ", secret]";
  }
}
