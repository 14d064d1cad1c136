package io.penstock.broker.access;

import com.nulabinc.zxcvbn.Zxcvbn;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// How many guesses a password would stand, by zxcvbn: lists of passwords, names and words that are
/// in use, keyboard rows, dates, repetitions, and what stands in the address of its owner.
final class PasswordStrength {
  /// zxcvbn's score 3. For who has a copy of the hash, at tens of milliseconds a guess, weeks of a
  /// core; for who has not, the limits on sign-ins make it ages.
  private static final double MIN_GUESSES = 1e8;

  /// Its work grows with the square of the length, and a long password is not weaker than its
  /// beginning.
  private static final int MAX_JUDGED = 64;

  private PasswordStrength() {}

  /// Its lists are read once, when they are first needed.
  private static final class Lists {
    static final Zxcvbn ZXCVBN = new Zxcvbn();
  }

  /// Why it is too weak, or empty. Never repeats it.
  static Optional<String> weakness(String password, String email) {
    String judged = password.substring(0, Math.min(password.length(), MAX_JUDGED));
    String address = email.toLowerCase(Locale.ROOT);
    List<String> own =
        List.of(address, address.substring(0, Math.max(0, address.indexOf('@'))), "penstock");
    double guesses = Lists.ZXCVBN.measure(judged, own).getGuesses();
    return guesses >= MIN_GUESSES
        ? Optional.empty()
        : Optional.of(
            "expected one that is harder to guess: several words that do not belong together, no"
                + " name, date or pattern");
  }
}
