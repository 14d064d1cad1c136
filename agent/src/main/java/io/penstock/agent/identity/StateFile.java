package io.penstock.agent.identity;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// `DIR/state`: what is no secret but nobody else may change. Readable by its owner on purpose:
/// ```
/// penstock-state-1 HMAC-SHA256 of the rest, 64 hex digits, line end
/// the content
/// ```
/// The key is one of the identity's. Replaced as a whole and durably, like every file here.
public final class StateFile {
  static final String NAME = "state";
  private static final byte[] PREFIX = "penstock-state-1 ".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER_BYTES = PREFIX.length + 64 + 1;

  private final DataDirectory directory;
  private final byte[] macKey;

  StateFile(DataDirectory directory, byte[] macKey) {
    this.directory = directory;
    this.macKey = macKey.clone();
  }

  /// Empty when there is none yet. Throws [IdentityException] for one that somebody else wrote or
  /// that is damaged: the caller must not go on as if there were none.
  public Optional<byte[]> read() throws IOException, IdentityException {
    Optional<byte[]> file = directory.read(NAME);
    return file.isPresent() ? Optional.of(content(file.get())) : Optional.empty();
  }

  private byte[] content(byte[] file) throws IdentityException {
    if (file.length > HEADER_BYTES) {
      byte[] content = Arrays.copyOfRange(file, HEADER_BYTES, file.length);
      byte[] header = Arrays.copyOf(file, HEADER_BYTES);
      if (MessageDigest.isEqual(header, header(content))) {
        return content;
      }
    }
    throw new IdentityException(
        directory.path().resolve(NAME)
            + ": expected the authentication code that this agent wrote, found another: the file is"
            + " damaged or was changed or brought here from elsewhere. What it remembers keeps this"
            + " agent from applying older configurations, so it is not replaced silently. Put the"
            + " file back; or, if nobody tampered with it, delete it: the agent then trusts the"
            + " next signed head that its broker shows");
  }

  public void write(byte[] content) throws IOException {
    byte[] header = header(content);
    byte[] file = Arrays.copyOf(header, header.length + content.length);
    System.arraycopy(content, 0, file, header.length, content.length);
    directory.write(NAME, file);
  }

  private byte[] header(byte[] content) {
    byte[] header = Arrays.copyOf(PREFIX, HEADER_BYTES);
    byte[] hex = HexFormat.of().formatHex(mac(content)).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(hex, 0, header, PREFIX.length, hex.length);
    header[HEADER_BYTES - 1] = '\n';
    return header;
  }

  private byte[] mac(byte[] content) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(macKey, "HmacSHA256"));
      mac.update(PREFIX);
      return mac.doFinal(content);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has HMAC-SHA256", impossible);
    }
  }

  @Override
  public String toString() {
    return "StateFile[" + directory.path() + "]";
  }
}
