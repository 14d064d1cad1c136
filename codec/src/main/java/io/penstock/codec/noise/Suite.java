package io.penstock.codec.noise;

/// The handshakes a tunnel can speak. The classical two exist for published vectors; policy refuses
/// them elsewhere.
public enum Suite {
  XX,
  XX_PSK3,
  XXHFS,
  XXHFS_PSK3;

  /// The name by which the Noise specification knows it, such as
  /// `Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256`.
  public String noiseName() {
    return pattern().protocolName();
  }

  public int messageCount() {
    return pattern().messages().size();
  }

  public boolean usesPsk() {
    return pattern().has(HandshakePattern.Token.PSK);
  }

  HandshakePattern pattern() {
    return switch (this) {
      case XX -> HandshakePattern.xx();
      case XX_PSK3 -> HandshakePattern.xx("psk3");
      case XXHFS -> HandshakePattern.xx("hfs");
      case XXHFS_PSK3 -> HandshakePattern.xx("hfs", "psk3");
    };
  }
}
