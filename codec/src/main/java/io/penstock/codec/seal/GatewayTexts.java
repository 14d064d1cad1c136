package io.penstock.codec.seal;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// The exact bytes of an enrollment without a tunnel (`docs/gateways.md`): the gateway makes them
/// to claim a token and to sign, the broker to verify.
public final class GatewayTexts {
  public static final int NONCE_BYTES = 32;

  private static final String TRANSCRIPT = "penstock gateway enroll v1";
  private static final byte[] CLAIM_KEY = ascii("penstock gateway claim key v1");
  private static final byte[] CLAIM = ascii("claim\n");
  private static final byte[] CONFIRMATION = ascii("confirmation\n");
  private static final byte[] UNLOCK_KEY = ascii("penstock gateway unlock key v1");

  private static final byte[] NO_BUNDLE = ascii("none");

  private GatewayTexts() {}

  /// What a gateway's requests are bound to.
  public enum Binding {
    /// Its key signs each of them.
    KEY("key", "gateway"),
    /// Whoever holds the token sends them: off unless the broker is told otherwise.
    BEARER("bearer", "gateway-bearer");

    private final String text;
    private final String method;

    Binding(String text, String method) {
      this.text = text;
      this.method = method;
    }

    /// As enrollments say it.
    public String text() {
      return text;
    }

    /// How an agent that is bound so is said to have been enrolled.
    public String method() {
      return method;
    }

    public static Optional<Binding> of(String text) {
      return Arrays.stream(values()).filter(binding -> binding.text.equals(text)).findFirst();
    }
  }

  /// Stands where agents with a tunnel have their unlock key. Nobody has the private key to it, so
  /// no tunnel comes up by it; it says that the generation has none, and what binds its requests.
  public static Octets unlockKey(Octets signingPublic, Binding binding) {
    return Octets.sha256(
        concat(UNLOCK_KEY, ascii("\n" + binding.text() + "\n"), signingPublic.bytes()));
  }

  /// What binds a generation with these keys; empty = it has a tunnel.
  public static Optional<Binding> bindingOf(Octets signingPublic, Octets unlockKey) {
    return Arrays.stream(Binding.values())
        .filter(binding -> unlockKey(signingPublic, binding).equals(unlockKey))
        .findFirst();
  }

  /// What an enrollment is about: lines of text, each ended by a line feed.
  ///
  /// @param gateway a name, which has no line feed
  /// @param audience the broker's URL
  public static byte[] transcript(
      Octets tokenId,
      String gateway,
      String audience,
      Binding binding,
      Octets sealingPublic,
      Octets signingPublic,
      Octets nonce) {
    return String.join(
            "\n",
            TRANSCRIPT,
            tokenId.base64Url(),
            gateway,
            audience,
            binding.text(),
            sealingPublic.base64Url(),
            signingPublic.base64Url(),
            nonce.base64Url(),
            "")
        .getBytes(StandardCharsets.UTF_8);
  }

  /// Stands where agents with a tunnel have their identity bundle.
  public static byte[] noBundle() {
    return NO_BUNDLE.clone();
  }

  /// What the gateway's signing key signs, as every agent's does.
  public static byte[] signed(
      byte[] transcript, Octets sealingPublic, Octets signingPublic, Binding binding) {
    return SignedTexts.enroll(
        Octets.sha256(transcript).bytes(),
        unlockKey(signingPublic, binding).bytes(),
        sealingPublic.bytes(),
        signingPublic.bytes(),
        NO_BUNDLE);
  }

  /// Shows that somebody holds the token's secret, for this enrollment alone.
  public static byte[] claim(byte[] tokenSecret, byte[] transcript) {
    return derived(tokenSecret, CLAIM, transcript);
  }

  /// Shows the gateway that the broker knows the token's secret, too.
  public static byte[] confirmation(byte[] tokenSecret, byte[] transcript) {
    return derived(tokenSecret, CONFIRMATION, transcript);
  }

  private static byte[] derived(byte[] tokenSecret, byte[] label, byte[] transcript) {
    byte[] key = hmac(tokenSecret, CLAIM_KEY);
    try {
      return hmac(key, concat(label, transcript));
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private static byte[] hmac(byte[] key, byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }

  private static byte[] concat(byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    byte[] all = new byte[length];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
