package io.penstock.broker.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.SealException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Signed texts whose signatures were found good, so that what is read from Postgres again and
/// again costs its signature once. A text is known by all its characters: a row that was changed is
/// another text. Another keyset makes a new start. Holds at most [#MAX_CHARS]; beyond it the least
/// used are verified again.
public final class VerifiedTexts<T> {
  private static final long MAX_CHARS = 16L << 20;

  private final Supplier<Keyset> keyset;
  private final BiFunction<String, Keyset, T> verification;
  private volatile @Nullable Known<T> known;

  private record Known<T>(Keyset by, Cache<String, T> texts) {}

  /// @param verification throws [SealException] for what is not signed by a key of the set
  public VerifiedTexts(Supplier<Keyset> keyset, BiFunction<String, Keyset, T> verification) {
    this.keyset = keyset;
    this.verification = verification;
  }

  /// What `text` says. Throws [SealException] as the verification does.
  public T read(String text) {
    Known<T> now = known();
    return now.texts().get(text, unknown -> verification.apply(unknown, now.by()));
  }

  /// A text that this broker has just signed says this.
  public void signed(String text, T what) {
    known().texts().put(text, what);
  }

  private Known<T> known() {
    Keyset current = keyset.get();
    Known<T> before = known;
    if (before != null && before.by().equals(current)) {
      return before;
    }
    var fresh = new Known<T>(current, cache());
    known = fresh;
    return fresh;
  }

  private static <T> Cache<String, T> cache() {
    return Caffeine.newBuilder()
        .maximumWeight(MAX_CHARS)
        .weigher((String text, T _) -> text.length())
        .build();
  }
}
