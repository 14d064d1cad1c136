package io.penstock.codec.message;

import org.jspecify.annotations.Nullable;

/// One version of one system's configuration, as it travels (`docs/sealed-configuration.md`).
/// Byte arrays are owned by the message; nobody changes them.
///
/// @param header signed configuration header, compact JWS
/// @param settings JSON in UTF-8: the very bytes that the header's hash is about
/// @param sealed JSON of the sealed secrets in UTF-8; null where the version has none
public record ConfigurationDocument(String header, byte[] settings, byte @Nullable [] sealed) {
  /// 1 MiB of settings and secrets, what base64url makes of secrets, header and wraps.
  public static final int MAX_BYTES = 1024 * 1024 + 512 * 1024;

  private static final int MAX_HEADER_CHARS = 4 * 1024;

  public ConfigurationDocument {
    Expect.text("header", header, MAX_HEADER_CHARS);
    Expect.atMost("settings", settings, MAX_BYTES);
    if (sealed != null) {
      Expect.atMost("sealed", sealed, MAX_BYTES);
    }
  }

  @Override
  public String toString() {
    return "ConfigurationDocument["
        + settings.length
        + " bytes of settings, "
        + (sealed == null ? 0 : sealed.length)
        + " sealed]";
  }
}
