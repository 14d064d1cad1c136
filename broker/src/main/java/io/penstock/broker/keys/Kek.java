package io.penstock.broker.keys;

import io.penstock.codec.seal.SealException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.crypto.spec.SecretKeySpec;

/// Wraps secrets that rest in the database. The context (what, whose, which generation) is
/// authenticated with them, so a wrapped value moved to another row does not open.
///
/// `version 2 ‖ key id 8 ‖ sealed`. What was wrapped before there were key ids is the sealed part
/// alone, which begins with 1, and may be of any key that is held.
public final class Kek {
  private static final byte VERSION_WITH_ID = 2;
  private static final int ID_BYTES = 8;
  private static final int HEADER_BYTES = 1 + ID_BYTES;

  private final SecureRandom random;
  private volatile List<Held> held = List.of();

  private record Held(byte[] id, Sealer sealer) {}

  Kek(SecureRandom random) {
    this.random = random;
  }

  /// @param keys the one that wraps first, then those that still unwrap
  void use(List<byte[]> keys) {
    held =
        keys.stream()
            .map(key -> new Held(idOf(key), new Sealer(new SecretKeySpec(key, "AES"), random)))
            .toList();
  }

  /// Tells keys apart and nothing about them.
  static byte[] idOf(byte[] key) {
    byte[] all =
        MasterKey.expand(
            new SecretKeySpec(key, "HKDF"), "penstock key id 1".getBytes(StandardCharsets.UTF_8));
    return Arrays.copyOf(all, ID_BYTES);
  }

  public byte[] wrap(String context, byte[] plaintext) {
    Held current = held.getFirst();
    byte[] sealed = current.sealer().seal(context, plaintext);
    byte[] wrapped = Arrays.copyOf(header(current), HEADER_BYTES + sealed.length);
    System.arraycopy(sealed, 0, wrapped, HEADER_BYTES, sealed.length);
    return wrapped;
  }

  private static byte[] header(Held key) {
    byte[] header = new byte[HEADER_BYTES];
    header[0] = VERSION_WITH_ID;
    System.arraycopy(key.id(), 0, header, 1, ID_BYTES);
    return header;
  }

  /// What everything begins with that is wrapped by the newest key.
  public byte[] currentPrefix() {
    return header(held.getFirst());
  }

  /// Wrapped by the newest key, and with its id?
  public boolean isCurrent(byte[] wrapped) {
    byte[] prefix = currentPrefix();
    return wrapped.length > HEADER_BYTES
        && Arrays.equals(prefix, 0, HEADER_BYTES, wrapped, 0, HEADER_BYTES);
  }

  /// The same secret under the newest key; empty when it is already.
  public Optional<byte[]> rewrap(String context, byte[] wrapped) {
    if (isCurrent(wrapped)) {
      return Optional.empty();
    }
    byte[] plaintext = unwrap(context, wrapped);
    try {
      return Optional.of(wrap(context, plaintext));
    } finally {
      Arrays.fill(plaintext, (byte) 0);
    }
  }

  /// Throws [SealException] when it was wrapped for another context, by a key that is not held, or
  /// changed.
  public byte[] unwrap(String context, byte[] wrapped) {
    List<Held> keys = held;
    if (wrapped.length > HEADER_BYTES && wrapped[0] == VERSION_WITH_ID) {
      byte[] sealed = Arrays.copyOfRange(wrapped, HEADER_BYTES, wrapped.length);
      for (Held key : keys) {
        if (Arrays.equals(key.id(), 0, ID_BYTES, wrapped, 1, HEADER_BYTES)) {
          return key.sealer().open(context, sealed);
        }
      }
      throw new SealException("a wrapped value names a key that this broker does not hold");
    }
    for (Held key : keys.subList(0, keys.size() - 1)) {
      Optional<byte[]> opened = tried(key, context, wrapped);
      if (opened.isPresent()) {
        return opened.get();
      }
    }
    return keys.getLast().sealer().open(context, wrapped);
  }

  private static Optional<byte[]> tried(Held key, String context, byte[] wrapped) {
    try {
      return Optional.of(key.sealer().open(context, wrapped));
    } catch (SealException _) {
      return Optional.empty();
    }
  }

  @Override
  public String toString() {
    return "Kek[secret]";
  }
}
