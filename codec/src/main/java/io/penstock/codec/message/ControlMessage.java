package io.penstock.codec.message;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Everything agent and broker say to each other besides streams, as in the CDDL of
/// `docs/protocol.md`, section 6.
/// Byte arrays are owned by the message; nobody changes them.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "t")
@JsonSubTypes({
  @JsonSubTypes.Type(value = ControlMessage.EnrollHello.class, name = "enroll_hello"),
  @JsonSubTypes.Type(value = ControlMessage.NodeHello.class, name = "node_hello"),
  @JsonSubTypes.Type(value = ControlMessage.OwnerKeys.class, name = "owner_keys"),
  @JsonSubTypes.Type(value = ControlMessage.EnrollRequest.class, name = "enroll_request"),
  @JsonSubTypes.Type(value = ControlMessage.ConnectRequest.class, name = "connect_request"),
  @JsonSubTypes.Type(value = ControlMessage.ProofChallenge.class, name = "proof_challenge"),
  @JsonSubTypes.Type(value = ControlMessage.ProofAnswer.class, name = "proof_answer"),
  @JsonSubTypes.Type(value = ControlMessage.Pending.class, name = "pending"),
  @JsonSubTypes.Type(value = ControlMessage.Approved.class, name = "approved"),
  @JsonSubTypes.Type(value = ControlMessage.Welcome.class, name = "welcome"),
  @JsonSubTypes.Type(value = ControlMessage.Ready.class, name = "ready"),
  @JsonSubTypes.Type(value = ControlMessage.Admitted.class, name = "admitted"),
  @JsonSubTypes.Type(value = ControlMessage.UnlockNext.class, name = "unlock_next"),
  @JsonSubTypes.Type(value = ControlMessage.UnlockStored.class, name = "unlock_stored"),
  @JsonSubTypes.Type(value = ControlMessage.UnlockCommit.class, name = "unlock_commit"),
  @JsonSubTypes.Type(value = ControlMessage.IdentityNext.class, name = "identity_next"),
  @JsonSubTypes.Type(value = ControlMessage.IdentityStored.class, name = "identity_stored"),
  @JsonSubTypes.Type(value = ControlMessage.Revoked.class, name = "revoked"),
  @JsonSubTypes.Type(value = ControlMessage.EffectiveRules.class, name = "effective_rules"),
  @JsonSubTypes.Type(value = ControlMessage.Head.class, name = "head"),
  @JsonSubTypes.Type(value = ControlMessage.StateReport.class, name = "state_report"),
  @JsonSubTypes.Type(
      value = ControlMessage.ConfigurationRequest.class,
      name = "configuration_request"),
  @JsonSubTypes.Type(value = ControlMessage.Rewrapped.class, name = "rewrapped"),
  @JsonSubTypes.Type(value = ControlMessage.SystemTest.class, name = "system_test"),
  @JsonSubTypes.Type(value = ControlMessage.TestReport.class, name = "test_report"),
})
public sealed interface ControlMessage {

  /// Payload of Noise message 1 when enrolling. Readable inside TLS: the id alone is worth nothing.
  record EnrollHello(byte[] tokenId, String version) implements ControlMessage {
    public EnrollHello {
      Expect.length("token_id", tokenId, 16);
    }
  }

  /// Payload of Noise message 2.
  ///
  /// @param certificate node certificate, compact JWS
  /// @param keyset signed keyset, compact JWS
  /// @param root Ed25519 root public key, raw; its SHA-256 is what the agent pinned
  /// @param crossSignatures from older roots to this one, oldest first; null = never rotated
  record NodeHello(
      String certificate,
      String keyset,
      byte[] root,
      long serverTimeMs,
      @Nullable List<CrossSignature> crossSignatures)
      implements ControlMessage {
    public NodeHello {
      Expect.length("root", root, 32);
      crossSignatures = crossSignatures == null ? null : List.copyOf(crossSignatures);
    }
  }

  /// How a root named its successor.
  ///
  /// @param root the older root's public key, raw
  /// @param jws signed by it
  record CrossSignature(byte[] root, String jws) {
    public CrossSignature {
      Expect.length("root", root, 32);
    }
  }

  /// The owner's keys have changed while a tunnel is up: what message 2 of a new handshake would
  /// show.
  ///
  /// @param crossSignatures as in [NodeHello]
  record OwnerKeys(String keyset, byte[] root, @Nullable List<CrossSignature> crossSignatures)
      implements ControlMessage {
    public OwnerKeys {
      Expect.length("root", root, 32);
      crossSignatures = crossSignatures == null ? null : List.copyOf(crossSignatures);
    }
  }

  /// Payload of Noise message 3 when enrolling; the dev key is the handshake's static key.
  ///
  /// @param name wanted name; used only where the token leaves it open
  /// @param sealingKey HPKE X-Wing public key
  /// @param signingKey Ed25519 public key, raw
  /// @param innerBundle private keys under a key of the unlock secret
  record EnrollRequest(
      String name,
      byte[] sealingKey,
      byte[] signingKey,
      byte[] innerBundle,
      HostFacts host,
      byte[] bootId,
      byte[] signature)
      implements ControlMessage {
    public EnrollRequest {
      Expect.length("signing_key", signingKey, 32);
      Expect.length("boot_id", bootId, 16);
      Expect.length("signature", signature, 64);
      Expect.atMost("inner_bundle", innerBundle, 16 * 1024);
      Expect.atMost("sealing_key", sealingKey, 4 * 1024);
    }
  }

  record HostFacts(String hostname, String os, String version) {}

  /// Payload of Noise message 3 of an ordinary connection.
  ///
  /// @param stateDigest SHA-256 over the versions it has applied (`StateDigest`), which tells the
  ///     broker whether anything is missing
  record ConnectRequest(
      String agent,
      int generation,
      long unlockEpoch,
      int slot,
      byte[] bootId,
      String version,
      List<String> capabilities,
      byte @Nullable [] stateDigest,
      @Nullable String lastCheckpoint)
      implements ControlMessage {
    public ConnectRequest {
      Expect.length("boot_id", bootId, 16);
      capabilities = List.copyOf(capabilities);
    }
  }

  /// 32 random bytes, sealed to the agent's sealing key (HPKE).
  record ProofChallenge(byte[] sealed) implements ControlMessage {}

  record ProofAnswer(byte[] opened) implements ControlMessage {
    public ProofAnswer {
      Expect.length("opened", opened, 32);
    }
  }

  /// Enrolled, waiting for an operator to compare `fingerprint` (`XXXX-XXXX`).
  record Pending(String agent, String site, String fingerprint) implements ControlMessage {}

  record Approved(int generation) implements ControlMessage {}

  record Welcome(
      byte[] sessionId, byte[] innerBundle, int maxStreams, @Nullable String headManifest)
      implements ControlMessage {
    public Welcome {
      Expect.length("session_id", sessionId, 16);
    }
  }

  record Ready(byte[] signature) implements ControlMessage {
    public Ready {
      Expect.length("signature", signature, 64);
    }
  }

  /// @param rotateUnlock this is the first tunnel of the agent's process: UNLOCK_NEXT is due
  /// @param tunnels how many tunnels the broker wants this agent to hold
  record Admitted(long sessionEpoch, boolean rotateUnlock, int tunnels) implements ControlMessage {}

  record UnlockNext(long unlockEpoch, byte[] devKey, byte[] innerBundle) implements ControlMessage {
    public UnlockNext {
      Expect.length("dev_key", devKey, 32);
      Expect.atMost("inner_bundle", innerBundle, 16 * 1024);
    }
  }

  record UnlockStored(long unlockEpoch) implements ControlMessage {}

  record UnlockCommit(long unlockEpoch) implements ControlMessage {}

  /// New identity keys for the same agent and generation, on an admitted session.
  ///
  /// @param unlockEpoch of the unlock secret that opens `innerBundle`
  /// @param signature by the key whose READY admitted this session, over `SignedTexts.identityNext`
  /// @param nextSignature by `signingKey`, over the same
  record IdentityNext(
      long unlockEpoch,
      byte[] sealingKey,
      byte[] signingKey,
      byte[] innerBundle,
      byte[] signature,
      byte[] nextSignature)
      implements ControlMessage {
    public IdentityNext {
      Expect.length("signing_key", signingKey, 32);
      Expect.length("signature", signature, 64);
      Expect.length("next_signature", nextSignature, 64);
      Expect.atMost("inner_bundle", innerBundle, 16 * 1024);
      Expect.atMost("sealing_key", sealingKey, 4 * 1024);
    }
  }

  /// The answer to [IdentityNext].
  ///
  /// @param signingKey of the request that it answers
  /// @param refusal null = in force: this session keeps its keys until it ends, and is drained
  record IdentityStored(byte[] signingKey, @Nullable String refusal) implements ControlMessage {
    public IdentityStored {
      Expect.length("signing_key", signingKey, 32);
      if (refusal != null) {
        Expect.text("refusal", refusal, 300);
      }
    }
  }

  /// @param revocation signed revocation of this agent, compact JWS: it wipes what it holds
  record Revoked(String revocation) implements ControlMessage {}

  /// What this agent really serves, after its ceiling; the broker refuses early by it.
  record EffectiveRules(List<SystemRules> systems) implements ControlMessage {
    public EffectiveRules {
      systems = List.copyOf(systems);
    }
  }

  record SystemRules(String system, String plugin, boolean live, List<Allow> allow) {
    public SystemRules {
      allow = List.copyOf(allow);
    }
  }

  /// One `allow` entry: any of the methods on any of the paths (`/api/**`, `*` = within one
  /// segment).
  record Allow(List<String> methods, List<String> paths) {
    public Allow {
      methods = List.copyOf(methods);
      paths = List.copyOf(paths);
    }
  }

  /// The head manifest again, newly signed: nothing changed, so it owes no receipt. Also goes ahead
  /// of a MESSAGE that the head would make too large.
  ///
  /// @param head signed head manifest, compact JWS
  record Head(String head) implements ControlMessage {
    public Head {
      Expect.text("head", head, MAX_HEAD_CHARS);
    }
  }

  int MAX_HEAD_CHARS = 224 * 1024;

  /// What runs on this agent, and how far it has ever come: after each change, and when the broker
  /// cannot tell from the digest.
  ///
  /// @param incarnation of the newest head it has accepted; 0 = none yet
  /// @param sequence of the same head
  record StateReport(long incarnation, long sequence, List<SystemState> systems)
      implements ControlMessage {
    public StateReport {
      systems = List.copyOf(systems);
    }
  }

  /// @param version of the instance that runs, or that failed or waits where none runs
  /// @param floor highest version ever applied, which the agent will not go below
  record SystemState(String system, long version, byte[] headerSha256, State state, long floor) {
    public SystemState {
      Expect.text("system", system, 63);
      Expect.length("header_sha256", headerSha256, 32);
      Expect.fromOne("version", version);
    }
  }

  enum State {
    LIVE("live"),
    FAILED("failed"),
    PENDING("pending"),
    /// Of a newer agent: not routable.
    UNKNOWN("unknown");

    private final String text;

    State(String text) {
      this.text = text;
    }

    @JsonValue
    public String text() {
      return text;
    }

    @JsonCreator
    static State fromText(String text) {
      return Arrays.stream(values())
          .filter(state -> state.text.equals(text))
          .findFirst()
          .orElse(UNKNOWN);
    }
  }

  /// What an OPEN of kind `config` carries: the answer is HEAD 200 and a [ConfigurationDocument] as
  /// DATA, or HEAD 404.
  record ConfigurationRequest(String system, long version) implements ControlMessage {
    public ConfigurationRequest {
      Expect.text("system", system, 63);
      Expect.fromOne("version", version);
    }
  }

  /// The key of a version's secrets, wrapped to the agent's present sealing key: it came wrapped to
  /// a former one. Owes no answer; what is lost is sent again by the next process that opens it.
  ///
  /// @param replaces SHA-256 of the former sealing key
  /// @param recipient SHA-256 of the present one
  /// @param wrap as in the sealed secrets
  record Rewrapped(
      String system,
      long version,
      byte[] headerSha256,
      byte[] replaces,
      byte[] recipient,
      byte[] wrap)
      implements ControlMessage {
    public Rewrapped {
      Expect.text("system", system, 63);
      Expect.fromOne("version", version);
      Expect.length("header_sha256", headerSha256, 32);
      Expect.length("replaces", replaces, 32);
      Expect.length("recipient", recipient, 32);
      Expect.atMost("wrap", wrap, 2 * 1024);
    }
  }

  /// What an OPEN of kind `diagnostic` to a system carries: "can you reach it?". The answer is HEAD
  /// 200 and a [TestReport] as DATA, or HEAD 404 where the agent has no such version.
  ///
  /// @param version need not be deployed, fetched like any other; null = the one that runs
  record SystemTest(@Nullable Long version) implements ControlMessage {}

  /// What a test found, stage by stage up to the first that failed.
  record TestReport(boolean ok, List<TestStage> stages) implements ControlMessage {
    public TestReport {
      stages = List.copyOf(stages);
    }
  }

  /// @param name `verify`, `secrets`, `dns`, `tcp`, `tls`, `http`, …
  /// @param detail what was expected and found, never the value of a secret
  record TestStage(String name, boolean ok, long micros, String detail) {
    public TestStage {
      Expect.text("name", name, 32);
      Expect.text("detail", detail, 300);
    }
  }
}
