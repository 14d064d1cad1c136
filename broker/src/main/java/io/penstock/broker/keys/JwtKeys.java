package io.penstock.broker.keys;

import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import java.util.List;

/// What access tokens are signed by.
///
/// @param replaced keys whose tokens have not all expired
public record JwtKeys(SigningKey signing, List<VerifyingKey> replaced) {
  public JwtKeys {
    replaced = List.copyOf(replaced);
  }

  /// The key id that tokens and the published key set name.
  public static String kid(VerifyingKey key) {
    return key.keyId(ManagedKey.JWT.idPrefix());
  }
}
