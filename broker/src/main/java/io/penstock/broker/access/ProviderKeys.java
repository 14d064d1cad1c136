package io.penstock.broker.access;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// The public keys of an identity provider (RFC 7517), and the algorithms that its tokens may be
/// signed with: asymmetric ones. `none` and `HS256` are no members of the list, so there is no way
/// to ask for them, and each algorithm takes keys of its own kind alone.
record ProviderKeys(List<Key> keys) {
  private static final int MAX_KEYS = 100;
  private static final int LEAST_RSA_BITS = 2048;
  private static final int MOST_RSA_BITS = 8192;

  ProviderKeys {
    keys = List.copyOf(keys);
  }

  /// @param kid empty = none
  /// @param kind `RSA`, or the curve
  /// @param algorithm the only one that it is for, where the provider says so
  record Key(String kid, String kind, Optional<String> algorithm, PublicKey key) {}

  private enum Algorithm {
    RS256("RSA", "SHA256withRSA"),
    RS384("RSA", "SHA384withRSA"),
    RS512("RSA", "SHA512withRSA"),
    PS256("RSA", "RSASSA-PSS"),
    ES256("P-256", "SHA256withECDSAinP1363Format"),
    ES384("P-384", "SHA384withECDSAinP1363Format");

    private static final PSSParameterSpec PSS_SHA256 =
        new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);

    private final String kind;
    private final String name;

    Algorithm(String kind, String name) {
      this.kind = kind;
      this.name = name;
    }

    static Optional<Algorithm> of(Object text) {
      return Arrays.stream(values()).filter(one -> one.name().equals(text)).findFirst();
    }

    boolean takes(Key key) {
      return kind.equals(key.kind()) && key.algorithm().map(name()::equals).orElse(true);
    }

    boolean verifies(PublicKey key, byte[] signed, byte[] signature) {
      try {
        Signature verifier = Signature.getInstance(name);
        if (this == PS256) {
          verifier.setParameter(PSS_SHA256);
        }
        verifier.initVerify(key);
        verifier.update(signed);
        return verifier.verify(signature);
      } catch (GeneralSecurityException _) {
        // A signature of another length, for example.
        return false;
      }
    }
  }

  /// What a look at a signature found.
  enum Verdict {
    GOOD,
    BAD,
    /// None that a provider may sign with.
    ALGORITHM,
    /// The provider may have newer keys.
    UNKNOWN_KEY
  }

  Verdict verdict(CompactJws token) {
    Optional<Algorithm> algorithm = Algorithm.of(token.header().getValue("alg"));
    if (algorithm.isEmpty()) {
      return Verdict.ALGORITHM;
    }
    List<Key> named =
        keys.stream()
            .filter(key -> token.kid().isEmpty() || key.kid().equals(token.kid()))
            .toList();
    List<Key> fit = named.stream().filter(algorithm.get()::takes).toList();
    // Without a name only one key may be meant.
    if (fit.size() != 1) {
      return named.isEmpty() || token.kid().isEmpty() ? Verdict.UNKNOWN_KEY : Verdict.BAD;
    }
    int end = token.token().lastIndexOf('.');
    boolean good =
        algorithm
            .get()
            .verifies(
                fit.getFirst().key(),
                token.token().substring(0, end).getBytes(StandardCharsets.US_ASCII),
                Base64.getUrlDecoder().decode(token.token().substring(end + 1)));
    return good ? Verdict.GOOD : Verdict.BAD;
  }

  /// Keys that are of no use here are left out.
  static ProviderKeys of(JsonObject set) {
    var keys = new ArrayList<Key>();
    if (set.getValue("keys") instanceof JsonArray all) {
      for (Object one : all) {
        if (one instanceof JsonObject jwk && keys.size() < MAX_KEYS) {
          key(jwk).ifPresent(keys::add);
        }
      }
    }
    return new ProviderKeys(keys);
  }

  private static Optional<Key> key(JsonObject jwk) {
    boolean signs = !jwk.containsKey("use") || "sig".equals(jwk.getValue("use"));
    if (!signs || jwk.containsKey("d") || jwk.containsKey("k")) {
      return Optional.empty();
    }
    String kid = text(jwk, "kid");
    Optional<String> algorithm =
        jwk.getValue("alg") instanceof String text ? Optional.of(text) : Optional.empty();
    try {
      return switch (text(jwk, "kty")) {
        case "RSA" -> rsa(jwk).map(key -> new Key(kid, "RSA", algorithm, key));
        case "EC" -> ec(jwk, kid, algorithm);
        default -> Optional.empty();
      };
    } catch (GeneralSecurityException | IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static Optional<PublicKey> rsa(JsonObject jwk) throws GeneralSecurityException {
    BigInteger modulus = number(jwk, "n");
    if (modulus.bitLength() < LEAST_RSA_BITS || modulus.bitLength() > MOST_RSA_BITS) {
      return Optional.empty();
    }
    return Optional.of(
        KeyFactory.getInstance("RSA")
            .generatePublic(new RSAPublicKeySpec(modulus, number(jwk, "e"))));
  }

  private static Optional<Key> ec(JsonObject jwk, String kid, Optional<String> algorithm)
      throws GeneralSecurityException {
    String curve;
    switch (text(jwk, "crv")) {
      case "P-256" -> curve = "secp256r1";
      case "P-384" -> curve = "secp384r1";
      default -> {
        return Optional.empty();
      }
    }
    AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
    parameters.init(new ECGenParameterSpec(curve));
    var point = new ECPoint(number(jwk, "x"), number(jwk, "y"));
    PublicKey key =
        KeyFactory.getInstance("EC")
            .generatePublic(
                new ECPublicKeySpec(point, parameters.getParameterSpec(ECParameterSpec.class)));
    return Optional.of(new Key(kid, jwk.getString("crv"), algorithm, key));
  }

  private static String text(JsonObject jwk, String name) {
    return jwk.getValue(name) instanceof String text ? text : "";
  }

  private static BigInteger number(JsonObject jwk, String name) {
    if (jwk.getValue(name) instanceof String text) {
      return new BigInteger(1, Base64.getUrlDecoder().decode(text));
    }
    throw new IllegalArgumentException(name + " is missing");
  }
}
