package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What an agent did with one version of one system. Those of one moment are signed together by its
/// identity's signing key (`docs/sealed-configuration.md`, section 5), because the signature is
/// most of what a receipt costs either side. A tombstone's receipt names its version and, as it has
/// no
/// header, a hash of zeros.
///
/// @param timeEpochSeconds by the agent's clock
public record Receipt(
    String agent,
    long generation,
    String system,
    long version,
    Octets headerSha256,
    Outcome outcome,
    long timeEpochSeconds) {

  /// So many applied ones of the longest names fit into one document; a refused one may need it for
  /// itself.
  public static final int MAX_TOGETHER = 32;

  private static final String KEY_USE = "identity";

  public Receipt {
    Names.require(agent, "agent");
    Names.requireFromOne(generation, "generation");
    Names.require(system, "system");
    Names.requireFromOne(version, "version");
    headerSha256.requireLength(32, "a header's hash");
  }

  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "t")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = Applied.class, name = "applied"),
    @JsonSubTypes.Type(value = Refused.class, name = "refused"),
  })
  public sealed interface Outcome {}

  /// The new instance serves, or the removed one no longer does.
  public record Applied() implements Outcome {}

  /// Nothing changed: what ran before goes on.
  ///
  /// @param detail for the operator; names things and sizes, never a setting's or secret's value
  public record Refused(Reason reason, String detail) implements Outcome {
    public static final int MAX_DETAIL_CHARS = 300;

    public Refused {
      if (detail.length() > MAX_DETAIL_CHARS || detail.chars().anyMatch(Character::isISOControl)) {
        throw new SealException(
            "a receipt's detail is one line of at most " + MAX_DETAIL_CHARS + " characters");
      }
    }

    /// Makes one line of that length out of any text.
    public static Refused of(Reason reason, String text) {
      String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
      return new Refused(
          reason,
          line.length() <= MAX_DETAIL_CHARS ? line : line.substring(0, MAX_DETAIL_CHARS - 1) + "…");
    }
  }

  /// Why a version was refused.
  public enum Reason {
    /// The agent's newest head does not name this version and hash.
    NOT_LISTED("not-listed"),
    /// Below the agent's floor, or another document of the floor's version.
    ROLLBACK("rollback"),
    BAD_SIGNATURE("bad-signature"),
    WRONG_AGENT("wrong-agent"),
    WRONG_GENERATION("wrong-generation"),
    WRONG_SYSTEM("wrong-system"),
    /// Settings or secrets are not the ones the header names.
    HASH_MISMATCH("hash-mismatch"),
    UNOPENABLE("unopenable"),
    /// The wrapped key is not the one committed to.
    COMMITMENT_MISMATCH("commitment-mismatch"),
    SCHEMA_INVALID("schema-invalid"),
    UNKNOWN_PLUGIN("unknown-plugin"),
    /// The destination changed and the secrets did not.
    DESTINATION_WITHOUT_SECRETS("destination-without-secrets"),
    /// A setting needs a secret that is not there.
    MISSING_SECRET_REFERENCE("missing-secret-reference"),
    START_FAILED("start-failed"),
    TOO_LARGE("too-large"),
    /// The version's instance died again and again.
    CRASH_LOOP("crash-loop"),
    /// A reason of a newer agent.
    UNKNOWN("unknown");

    private final String text;

    Reason(String text) {
      this.text = text;
    }

    @JsonValue
    public String text() {
      return text;
    }

    @JsonCreator
    static Reason fromText(String text) {
      return Arrays.stream(values())
          .filter(reason -> reason.text.equals(text))
          .findFirst()
          .orElse(UNKNOWN);
    }
  }

  /// The document: what receipts that are signed together have in common, and each by itself.
  private record Together(
      String agent, long generation, @JsonProperty("time") long time, List<One> receipts) {
    Together {
      if (receipts.isEmpty() || receipts.size() > MAX_TOGETHER) {
        throw new SealException(
            "expected 1 to " + MAX_TOGETHER + " receipts in a document, found " + receipts.size());
      }
    }

    static Together of(List<Receipt> receipts) {
      Receipt first = receipts.getFirst();
      return new Together(
          first.agent,
          first.generation,
          first.timeEpochSeconds,
          receipts.stream().map(One::of).toList());
    }

    Receipt read(One one) {
      return new Receipt(
          agent, generation, one.system, one.version, one.headerSha256, one.outcome, time);
    }
  }

  private record One(
      String system,
      long version,
      @JsonProperty("header_sha256") Octets headerSha256,
      Outcome outcome) {
    static One of(Receipt receipt) {
      return new One(receipt.system, receipt.version, receipt.headerSha256, receipt.outcome);
    }
  }

  public String sign(SigningKey identity) {
    return sign(List.of(this), identity);
  }

  /// @param receipts 1 to [#MAX_TOGETHER], of one agent, generation and time
  public static String sign(List<Receipt> receipts, SigningKey identity) {
    var together = Together.of(receipts);
    if (!together.receipts.stream().map(together::read).toList().equals(receipts)) {
      throw new IllegalArgumentException("receipts of several agents, generations or times");
    }
    return SignedDocument.sign(
        DocumentType.RECEIPT, identity.verifyingKey().keyId(KEY_USE), identity, together);
  }

  /// In the order in which they were signed.
  ///
  /// @param identity the signing key of the agent's record
  public static List<Receipt> verify(String jws, VerifyingKey identity) {
    String keyId = identity.keyId(KEY_USE);
    Together together =
        SignedDocument.verify(
            jws,
            DocumentType.RECEIPT,
            kid -> kid.equals(keyId) ? Optional.of(identity) : Optional.empty(),
            Together.class);
    return together.receipts.stream().map(together::read).toList();
  }
}
