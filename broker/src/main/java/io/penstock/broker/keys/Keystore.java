package io.penstock.broker.keys;

import io.penstock.broker.config.DataDirectory;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// The sealed file `DATA/keystore`: AES-256-GCM under a key derived from the master key, replaced
/// whole on every change.
final class Keystore {
  static final String FILE = "keystore";
  private static final String CONTEXT = "penstock keystore 1";

  private final DataDirectory data;
  private final Sealer sealer;
  private KeystoreContent content;

  private Keystore(DataDirectory data, Sealer sealer, KeystoreContent content) {
    this.data = data;
    this.sealer = sealer;
    this.content = content;
  }

  static Keystore open(DataDirectory data, MasterKey masterKey, SecureRandom random, Clock clock) {
    var sealer = new Sealer(masterKey.derive(CONTEXT), random);
    Optional<byte[]> file = data.read(FILE);
    if (file.isPresent()) {
      return new Keystore(data, sealer, parse(sealer, file.get()));
    }
    var created = new Keystore(data, sealer, KeystoreContent.generate(random, clock.instant()));
    created.replace(created.content);
    return created;
  }

  private static KeystoreContent parse(Sealer sealer, byte[] file) {
    byte[] json = sealer.open(CONTEXT, file);
    try {
      return KeystoreContent.parse(json);
    } finally {
      Arrays.fill(json, (byte) 0);
    }
  }

  synchronized KeystoreContent content() {
    return content;
  }

  /// Durable when it returns; the content in memory changes only after the file did.
  synchronized void change(UnaryOperator<KeystoreContent> change) {
    replace(change.apply(content));
  }

  /// The file of a content, not yet written.
  static byte[] sealed(KeystoreContent content, MasterKey masterKey, SecureRandom random) {
    byte[] json = content.toJson();
    try {
      return new Sealer(masterKey.derive(CONTEXT), random).seal(CONTEXT, json);
    } finally {
      Arrays.fill(json, (byte) 0);
    }
  }

  private synchronized void replace(KeystoreContent next) {
    byte[] json = next.toJson();
    try {
      data.write(FILE, sealer.seal(CONTEXT, json));
    } finally {
      Arrays.fill(json, (byte) 0);
    }
    content = next;
  }
}
