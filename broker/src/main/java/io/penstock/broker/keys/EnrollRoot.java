package io.penstock.broker.keys;

import io.penstock.codec.seal.TokenSecret;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/// Derives the secret of every enrollment token; none is stored. A token belongs to the root that
/// was in force when it was made.
public final class EnrollRoot {
  private final Clock clock;
  private List<Held> held = List.of();

  /// @param untilMillis it was replaced then
  record Held(SecretKey key, long sinceMillis, long untilMillis) {}

  EnrollRoot(Clock clock) {
    this.clock = clock;
  }

  static Held held(StoredKey key) {
    boolean current = key.state() == KeyState.SIGNING;
    return new Held(
        new SecretKeySpec(key.material(), "HKDF"),
        key.createdMillis(),
        current ? Long.MAX_VALUE : key.changedMillis());
  }

  /// @param roots oldest first
  synchronized void use(List<Held> roots) {
    held = List.copyOf(roots);
  }

  /// No token is made while the root is replaced. `change` gets the new root's first moment, which
  /// is after that of every token made so far, and answers the roots oldest first.
  synchronized void replace(Function<Instant, List<Held>> change) {
    held = List.copyOf(change.apply(now().plusMillis(1)));
  }

  /// When a token is made that is made now: never before the root that is in force.
  public synchronized Instant now() {
    return Instant.ofEpochMilli(Math.max(clock.millis(), held.getLast().sinceMillis()));
  }

  /// @param madeAt of the token, as [#now] told it
  public TokenSecret secretOf(TokenBinding binding, Instant madeAt) {
    byte[] psk = MasterKey.expand(inForceAt(madeAt), binding.encoded());
    try {
      return TokenSecret.of(psk);
    } finally {
      Arrays.fill(psk, (byte) 0);
    }
  }

  private synchronized SecretKey inForceAt(Instant madeAt) {
    for (Held root : held) {
      if (madeAt.toEpochMilli() < root.untilMillis()) {
        return root.key();
      }
    }
    return held.getLast().key();
  }

  @Override
  public String toString() {
    return "EnrollRoot[secret]";
  }
}
