package io.penstock.agent.link;

import java.io.ByteArrayOutputStream;

/// The exact bytes that an identity signs.
final class Signed {
  private Signed() {}

  static byte[] concat(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
