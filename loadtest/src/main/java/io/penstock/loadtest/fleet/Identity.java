package io.penstock.loadtest.fleet;

import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import java.security.SecureRandom;

/// The keys of one simulated agent, in memory only. What a real one wraps for the cloud to keep is
/// random here, and as long: the broker cannot open either.
///
/// Owned by the agent's event loop once it has been made.
final class Identity {
  private static final int BUNDLE_BYTES = 1 + 32 + 32 + 28;
  private static final int BOOT_ID_BYTES = 16;
  private static final String VERSION = "simulated";

  private final SecureRandom random;
  private final SealingKey sealing;
  private final SigningKey signing;
  private final byte[] bootId;
  private final byte[] bundle;
  private StaticKeyPair dev = StaticKeyPair.generate();
  private long unlockEpoch;
  private int generation;

  Identity(SecureRandom random) {
    this.random = random;
    sealing = Hpke.generate(random);
    signing = SigningKey.generate(random);
    bootId = random(BOOT_ID_BYTES);
    bundle = random(BUNDLE_BYTES);
  }

  private byte[] random(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  StaticKeyPair dev() {
    return dev;
  }

  SigningKey signing() {
    return signing;
  }

  SealingKey sealing() {
    return sealing;
  }

  byte[] bootId() {
    return bootId.clone();
  }

  long unlockEpoch() {
    return unlockEpoch;
  }

  int generation() {
    return generation;
  }

  void approved(int as) {
    generation = as;
  }

  /// @param hash handshake hash after message 2
  EnrollRequest enrollRequest(String name, byte[] hash) {
    byte[] sealingPublic = sealing.publicKey().bytes();
    byte[] signingPublic = signing.verifyingKey().octets().bytes();
    byte[] signature =
        signing.sign(
            SignedTexts.enroll(
                hash, dev.publicKey().bytes(), sealingPublic, signingPublic, bundle));
    return new EnrollRequest(
        name,
        sealingPublic,
        signingPublic,
        bundle.clone(),
        new HostFacts(name, "simulated", VERSION),
        bootId(),
        signature);
  }

  /// What replaces the unlock secret, once the broker has stored it.
  record Next(StaticKeyPair dev, long unlockEpoch, byte[] bundle) {}

  Next next() {
    return new Next(StaticKeyPair.generate(), unlockEpoch + 1, random(BUNDLE_BYTES));
  }

  void switchTo(Next next) {
    dev = next.dev();
    unlockEpoch = next.unlockEpoch();
  }

  @Override
  public String toString() {
    return "Identity[secret]";
  }
}
