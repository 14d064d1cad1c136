package io.penstock.broker.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.SealException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Signed texts whose signatures were found good, so that what is read from Postgres again and
/// again costs its signature once: of each name the last one. A text is known by all its
/// characters: a row that was changed is another text. Another keyset makes a new start. Holds at
/// most [#MAX_CHARS], and no more than a small part of the heap; beyond it the least used are
/// verified again.
public final class VerifiedTexts<T> {
  private static final int HEAP_PART = 32;

  /// Room for what a thousand agents with forty systems each run. ASCII, so a byte each.
  private static final long MAX_CHARS =
      Math.min(64L << 20, Runtime.getRuntime().maxMemory() / HEAP_PART);

  private final Supplier<Keyset> keyset;
  private final BiFunction<String, Keyset, T> verification;
  private volatile @Nullable Known<T> known;

  private record Verified<T>(String text, T what) {}

  private record Known<T>(Keyset by, Cache<String, Verified<T>> texts) {}

  /// @param verification throws [SealException] for what is not signed by a key of the set
  public VerifiedTexts(Supplier<Keyset> keyset, BiFunction<String, Keyset, T> verification) {
    this.keyset = keyset;
    this.verification = verification;
  }

  /// What `text` says. Throws [SealException] as the verification does.
  ///
  /// @param name under which it is looked for again
  public T read(String name, String text) {
    Known<T> now = known();
    Verified<T> last = now.texts().getIfPresent(name);
    if (last != null && last.text().equals(text)) {
      return last.what();
    }
    T what = verification.apply(text, now.by());
    now.texts().put(name, new Verified<>(text, what));
    return what;
  }

  /// A text that this broker has just signed says this.
  public void signed(String name, String text, T what) {
    known().texts().put(name, new Verified<>(text, what));
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

  private static <T> Cache<String, Verified<T>> cache() {
    return Caffeine.newBuilder()
        .maximumWeight(MAX_CHARS)
        .weigher((String name, Verified<T> it) -> name.length() + it.text().length())
        .build();
  }
}
