package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/// An immutable run of bytes that is public: keys, hashes, ids. Never a secret, because it prints
/// itself.
public final class Octets {
  /// Never used itself: a copy of it needs no provider looked up, which costs more than a short
  /// hash.
  private static final MessageDigest SHA256 = newSha256();

  private final byte[] bytes;

  private Octets(byte[] bytes) {
    this.bytes = bytes;
  }

  public static Octets of(byte[] bytes) {
    return new Octets(bytes.clone());
  }

  /// Unpadded base64url, as JSON carries it; throws [SealException] for anything else.
  @JsonCreator
  public static Octets fromBase64Url(String text) {
    return new Octets(Base64Url.decode(text));
  }

  public static Octets sha256(byte[] data) {
    return new Octets(sha256Digest().digest(data));
  }

  static MessageDigest sha256Digest() {
    try {
      return (MessageDigest) SHA256.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the JDK's SHA-256 can be copied", e);
    }
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  public byte[] bytes() {
    return bytes.clone();
  }

  public int length() {
    return bytes.length;
  }

  public Octets requireLength(int expected, String name) {
    if (bytes.length != expected) {
      throw new SealException(name + " has " + expected + " bytes, found " + bytes.length);
    }
    return this;
  }

  @JsonValue
  public String base64Url() {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  public String hex() {
    return HexFormat.of().formatHex(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Octets that && MessageDigest.isEqual(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return base64Url();
  }
}
