package io.penstock.broker.keys;

import io.penstock.broker.config.ConfigException;
import io.penstock.broker.config.DataDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The 32 bytes that everything else of the broker is sealed under. Development keeps them beside
/// the keystore; production gives a file from elsewhere (a systemd credential, a mounted secret).
/// Prints nothing.
public final class MasterKey {
  static final int BYTES = 32;
  private static final String FILE = "master.key";

  private final SecretKey key;

  private MasterKey(byte[] bytes) {
    this.key = new SecretKeySpec(bytes, "HKDF");
  }

  /// The configured file, or `DATA/master.key`, which is made when it is missing.
  public static MasterKey load(Optional<Path> configured, DataDirectory data, SecureRandom random) {
    byte[] bytes = configured.isPresent() ? readFile(configured.get()) : readOrCreate(data, random);
    try {
      return ofBytes(bytes, configured.orElse(data.resolve(FILE)));
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private static MasterKey ofBytes(byte[] bytes, Path file) {
    if (bytes.length != BYTES) {
      throw new ConfigException(
          List.of(
              "keys.master_key_file: " + file + " has " + BYTES + " bytes, found " + bytes.length));
    }
    return new MasterKey(bytes);
  }

  private static byte[] readFile(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new ConfigException(List.of("keys.master_key_file: cannot read " + file + ": " + e));
    }
  }

  private static byte[] readOrCreate(DataDirectory data, SecureRandom random) {
    Optional<byte[]> existing = data.read(FILE);
    if (existing.isPresent()) {
      return existing.get();
    }
    // A new master key cannot open an old keystore: better to say what is missing than that the
    // seal is broken.
    if (Files.exists(data.resolve(Keystore.FILE))) {
      throw new UncheckedIOException(
          new IOException(
              data.resolve(FILE)
                  + " is missing, but "
                  + data.resolve(Keystore.FILE)
                  + " is sealed under it"));
    }
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    data.write(FILE, bytes);
    return bytes;
  }

  /// A key for one purpose (HKDF-SHA256).
  SecretKey derive(String purpose) {
    return new SecretKeySpec(
        expand(key, purpose.getBytes(java.nio.charset.StandardCharsets.UTF_8)), "AES");
  }

  static byte[] expand(SecretKey key, byte[] info) {
    try {
      return KDF.getInstance("HKDF-SHA256")
          .deriveData(HKDFParameterSpec.ofExtract().addIKM(key).thenExpand(info, BYTES));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("JDK 25 has HKDF-SHA256", e);
    }
  }

  @Override
  public String toString() {
    return "MasterKey[secret]";
  }
}
