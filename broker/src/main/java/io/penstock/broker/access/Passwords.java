package io.penstock.broker.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/// Argon2id (RFC 9106) in PHC form, with OWASP's parameters: 19 MiB, 2 passes.
///
/// Passwords are checked by a few threads of their own, half as many as there are cores, before
/// which a few dozen may wait; beyond, the answer is at once that all are busy. So guessing takes
/// neither all memory nor all cores. People whose source is familiar have a thread and a queue for
/// themselves, which a flood from elsewhere does not reach; where that is full, they wait with
/// everybody. Thread-safe.
public final class Passwords {
  public static final int MIN_CHARACTERS = 12;
  private static final int MAX_CHARACTERS = 256;

  private static final int MEMORY_KIB = 19 * 1024;
  private static final int PASSES = 2;
  private static final int LANES = 1;
  private static final int SALT_BYTES = 16;
  private static final int HASH_BYTES = 32;
  private static final String PREFIX =
      "$argon2id$v=19$m=" + MEMORY_KIB + ",t=" + PASSES + ",p=" + LANES + "$";
  private static final String ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";

  private final SecureRandom random;
  private final Semaphore hashing = new Semaphore(1, true);
  private final ExecutorService strangers =
      workers("password", Math.max(1, Runtime.getRuntime().availableProcessors() / 2), 32);
  private final ExecutorService familiar = workers("familiar-password", 1, 16);

  /// Looks like a hash and is none: checking a password against it costs what every check costs.
  private final String decoy;

  public Passwords(SecureRandom random) {
    this.random = random;
    decoy = PREFIX + base64(SALT_BYTES) + "$" + base64(HASH_BYTES);
  }

  private static ExecutorService workers(String name, int threads, int waiting) {
    var workers =
        new ThreadPoolExecutor(
            threads,
            threads,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(waiting),
            Thread.ofPlatform().daemon().name(name + "-", 0).factory());
    workers.allowCoreThreadTimeOut(true);
    return workers;
  }

  /// What came of looking at a password.
  enum Check {
    RIGHT,
    WRONG,
    /// Too many are being looked at.
    BUSY,
    /// When its turn came, the guess might not be made any more.
    CALLED_OFF
  }

  /// Who guesses. Asked and told by the thread that looks at the password, so that of guesses that
  /// wait side by side each one sees what came of those before it.
  interface Guess {
    boolean mayBeMade();

    void wasWrong();
  }

  private String base64(int bytes) {
    byte[] drawn = new byte[bytes];
    random.nextBytes(drawn);
    return Base64.getEncoder().withoutPadding().encodeToString(drawn);
  }

  /// Why this password is too weak, or empty. Never repeats it.
  public static Optional<String> weakness(String password, String email) {
    if (password.length() < MIN_CHARACTERS) {
      return Optional.of("expected at least " + MIN_CHARACTERS + " characters");
    }
    if (password.length() > MAX_CHARACTERS) {
      return Optional.of("expected at most " + MAX_CHARACTERS + " characters");
    }
    return PasswordStrength.weakness(password, email);
  }

  /// 20 characters without look-alikes, 115 bits.
  public String generate() {
    var text = new StringBuilder(20);
    for (int i = 0; i < 20; i++) {
      text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return text.toString();
  }

  public String hash(String password) {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
    hashing.acquireUninterruptibly();
    try {
      return PREFIX
          + base64.encodeToString(salt)
          + "$"
          + base64.encodeToString(argon2id(password, salt));
    } finally {
      hashing.release();
    }
  }

  /// An empty `phc` (nobody by that name, or no password) costs the same time and never matches.
  ///
  /// @param isFamiliar whether the person has signed in from there before
  Check check(String password, String phc, boolean isFamiliar, Guess guess) {
    try {
      return submit(() -> look(password, phc, guess), isFamiliar).get();
    } catch (RejectedExecutionException _) {
      return Check.BUSY;
    } catch (ExecutionException bug) {
      throw new IllegalStateException("a password could not be looked at", bug.getCause());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return Check.BUSY;
    }
  }

  private Future<Check> submit(Callable<Check> look, boolean isFamiliar) {
    if (isFamiliar) {
      try {
        return familiar.submit(look);
      } catch (RejectedExecutionException _) {
        // Full: then as everybody.
      }
    }
    return strangers.submit(look);
  }

  private Check look(String password, String phc, Guess guess) {
    if (!guess.mayBeMade()) {
      return Check.CALLED_OFF;
    }
    if (matches(password, phc)) {
      return Check.RIGHT;
    }
    guess.wasWrong();
    return Check.WRONG;
  }

  private boolean matches(String password, String phc) {
    boolean known = phc.startsWith(PREFIX);
    String[] parts = (known ? phc : decoy).substring(PREFIX.length()).split("\\$", -1);
    byte[] expected = Base64.getDecoder().decode(parts[1]);
    byte[] found = argon2id(password, Base64.getDecoder().decode(parts[0]));
    return MessageDigest.isEqual(expected, found) && known;
  }

  private static byte[] argon2id(String password, byte[] salt) {
    byte[] utf8 = password.getBytes(StandardCharsets.UTF_8);
    byte[] hash = new byte[HASH_BYTES];
    try {
      var generator = new Argon2BytesGenerator();
      generator.init(
          new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
              .withVersion(Argon2Parameters.ARGON2_VERSION_13)
              .withMemoryAsKB(MEMORY_KIB)
              .withIterations(PASSES)
              .withParallelism(LANES)
              .withSalt(salt)
              .build());
      generator.generateBytes(utf8, hash);
      return hash;
    } finally {
      Arrays.fill(utf8, (byte) 0);
    }
  }
}
