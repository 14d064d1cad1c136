package io.penstock.agent.identity;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;

/// The one file of an identity, `DIR/identity`: how the unlock secret is sealed, the sealed secret,
/// its epoch, and the [IdentityState] under a key of the secret, whose context is the epoch. All of
/// it changes together or not at all.
final class IdentityFile {
  static final String NAME = "identity";
  private static final int FORMAT = 1;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private final DataDirectory directory;
  private final SecureRandom random;

  IdentityFile(DataDirectory directory, SecureRandom random) {
    this.directory = directory;
    this.random = random;
  }

  private record Outer(
      int format,
      UnlockSeal.Header seal,
      @JsonProperty("unlock") byte[] sealedUnlock,
      long unlockEpoch,
      byte[] state) {}

  /// A whole identity in memory: the file's content, unsealed.
  record Content(UnlockSeal seal, UnlockSecret secret, long epoch, IdentityState state) {
    UnlockKeys keys() {
      return UnlockKeys.derive(secret, epoch);
    }

    @Override
    public String toString() {
      return "Content[" + state + "]";
    }
  }

  /// Empty when this directory has no identity yet. What an interrupted rotation staged is
  /// discarded: the process that staged it never switched to it.
  Optional<Content> read(UnlockSeal.Source source) throws IOException, IdentityException {
    directory.discardStaged(NAME);
    Optional<byte[]> bytes = directory.read(NAME);
    return bytes.isPresent() ? Optional.of(open(parse(bytes.get()), source)) : Optional.empty();
  }

  private static Outer parse(byte[] bytes) throws IdentityException {
    try {
      Outer outer = JSON.readValue(bytes, Outer.class);
      if (outer != null
          && outer.format() == FORMAT
          && outer.seal() != null
          && outer.sealedUnlock() != null
          && outer.state() != null) {
        return outer;
      }
    } catch (IOException _) {
      // Told below; the parser's message would quote the file.
    }
    throw new IdentityException("the identity file is damaged or of a newer version");
  }

  private static Content open(Outer outer, UnlockSeal.Source source)
      throws IdentityException, IOException {
    UnlockSeal seal = UnlockSeal.existing(outer.seal(), source);
    UnlockSecret secret = seal.open(outer.sealedUnlock());
    UnlockKeys keys = UnlockKeys.derive(secret, outer.unlockEpoch());
    byte[] state = Sealed.open(keys.localWrap(), context(outer.unlockEpoch()), outer.state());
    try {
      return new Content(
          seal, secret, outer.unlockEpoch(), JSON.readValue(state, IdentityState.class));
    } finally {
      Arrays.fill(state, (byte) 0);
    }
  }

  void write(Content content, UnlockKeys keys) throws IOException {
    directory.write(NAME, encode(content, keys));
  }

  void stage(Content content, UnlockKeys keys) throws IOException {
    directory.stage(NAME, encode(content, keys));
  }

  private byte[] encode(Content content, UnlockKeys keys) throws IOException {
    byte[] state = JSON.writeValueAsBytes(content.state());
    byte[] sealed = Sealed.seal(keys.localWrap(), context(content.epoch()), state, random);
    Arrays.fill(state, (byte) 0);
    var outer =
        new Outer(
            FORMAT,
            content.seal().header(),
            content.seal().seal(content.secret(), random),
            content.epoch(),
            sealed);
    return JSON.writeValueAsBytes(outer);
  }

  void commit() throws IOException {
    directory.commit(NAME);
  }

  private static byte[] context(long epoch) {
    return ("penstock identity state v1 " + epoch).getBytes(StandardCharsets.US_ASCII);
  }
}
