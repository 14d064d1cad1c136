package io.penstock.broker.agents;

import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.Octets;
import java.net.InetAddress;

/// A gateway that asks to be enrolled: its keys, and what shows that it holds them and the token.
///
/// @param claim HMAC under the token's secret
/// @param signature of the signing key
/// @param hostname and the following: what it says of itself
/// @param remote where it comes from
public record GatewayClaim(
    Octets tokenId,
    String gateway,
    Binding binding,
    Octets sealingPublic,
    Octets signingPublic,
    Octets nonce,
    Octets claim,
    Octets signature,
    String hostname,
    String hardware,
    String software,
    InetAddress remote) {

  byte[] transcript(String audience) {
    return GatewayTexts.transcript(
        tokenId, gateway, audience, binding, sealingPublic, signingPublic, nonce);
  }

  @Override
  public String toString() {
    return "GatewayClaim[" + tokenId.hex() + "]";
  }
}
